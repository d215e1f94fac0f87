"""What the command line shows, read where it is kept: in a file."""

from __future__ import annotations

from gmaug_core.cli import output


def test_a_bar_in_a_file_is_looked_at_now_and_then_and_ends_where_it_ended(capsys, monkeypatch):
    now = 0.0
    monkeypatch.setattr(output.time, "monotonic", lambda: now)
    with output.Bar() as bar:
        for step in range(1000):
            now += 0.1  # a hundred seconds in all
            bar("baseline", step + 1, 1000, loss=0.5)
        bar("generator", 1, 10)
    looks = capsys.readouterr().err.replace("\n", "\r").split("\r")
    drawn = [look for look in looks if look.startswith("baseline")]
    assert len(drawn) <= 6  # at its beginning and its end, and every half minute between
    assert "1000/1000" in drawn[-1]
    assert any(look.startswith("generator") for look in looks)
