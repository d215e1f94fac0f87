import assert from "node:assert/strict";
import { test } from "node:test";
import { due } from "../../assets/pulse_logic.mjs";

const drawn = { shape: "running generator", news: 100, at: 50 };

test("a page is drawn again at once when the run is another one, and for news now and then", () => {
  assert.equal(due(drawn, { shape: "running generator", news: 100 }, 500, 15), false);
  assert.equal(due(drawn, { shape: "finished generator", news: 100 }, 50, 15), true);
  assert.equal(due(drawn, { shape: "running generator", news: 101 }, 64, 15), false);
  assert.equal(due(drawn, { shape: "running generator", news: 101 }, 65, 15), true);
});
