/* The sample gallery: a windowed grid, reviewed by keyboard. Names are only ever written with textContent. One instance lives
   on the parent element: this function is called again whenever data or theme changes, and DOM, scroll and focus survive. */

import { OperationLog } from "./operations.mjs";
import { make } from "./elements.mjs";
import { decided, grid, keyed, onScreen, parts, range, scrolled, undone } from "./gallery_logic.mjs";

const KEEP = "__gmaugGallery";
const CELL = 88; // px, at least
const FOOT = 20;
const GAP = 6;
const REST_MS = 90; // pictures are asked for when the scroll has rested
const SELECT_MS = 140; // the inspector follows when the arrow keys have rested
const SPARE_ROWS = 2;
const STRIP = 64; // pictures in one answer
const KEPT = 600; // pictures that are remembered

export default function (component) {
  const { parentElement, data, setStateValue } = component;
  const gallery = (parentElement[KEEP] ??= new Gallery(parentElement));
  gallery.tell = setStateValue;
  gallery.receive(data);
  return () => {
    // called when the component leaves the page, and when it is called again: nothing outside our own element to undo
  };
}

class Gallery {
  constructor(parent) {
    this.items = { sample: [], classes: [], reasons: [] };
    this.decisions = {};
    this.done = []; // what this tab decided, for undo: lists of [sample, word before]
    this.chosen = new Set(); // positions that are selected together; empty: the one at `at` alone
    this.anchor = 0; // where the selection began
    this.cells = new Map(); // position -> element
    this.seen = new Map(); // sample -> its picture
    this.asked = new Set(); // samples whose picture is on its way
    this.at = 0;
    this.build(parent);
  }

  // --- talking with Python ---

  receive(data) {
    this.log ??= new OperationLog(data.log);
    const taken = this.log.receive(data);
    if (taken === "stale") return;
    if (taken === "resend") this.tell("ops", this.log.pending);
    if (this.data && data.pictures !== this.data.pictures) {
      this.seen.clear();
      this.asked.clear();
    }
    this.data = data;
    this.decisions = decided(data.decisions, this.log.pending);
    this.root.classList.toggle("under", data.under);
    this.root.style.setProperty("--accepted", data.colours.accepted);
    this.root.style.setProperty("--rejected", data.colours.rejected);
    if (data.items !== this.address) this.load(data.items);
    else this.draw();
  }

  async load(address) {
    this.address = address;
    this.note.textContent = "Loading…";
    let items;
    try {
      const answer = await fetch(address, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      items = await answer.json();
    } catch {
      if (this.address !== address) return;
      this.address = null; // the next rerun tries again
      this.note.textContent = "The list of samples could not be loaded. Reload the page.";
      return;
    }
    if (this.address !== address) return; // another filter meanwhile
    this.items = items;
    this.loaded = address; // until then nobody knows that there is none
    this.chosen.clear();
    const first = items.sample.indexOf(this.data.first); // -1 where it was found by another filter
    this.at = this.anchor = Math.max(first, 0);
    for (const cell of this.cells.values()) cell.remove();
    this.cells.clear();
    this.view.scrollTop = 0;
    this.draw();
    if (first > 0) this.go(first);
    this.draw();
    this.greet();
    if (items.sample.length) this.select();
  }

  /* The keys work from the first one on: the grid has the focus, unless a person has put it somewhere. */
  greet() {
    const idle = document.activeElement === document.body || document.activeElement === null;
    if (!this.greeted && idle) this.view.focus({ preventScroll: true });
    this.greeted = true;
  }

  /* The positions that a decision is about. */
  meant() {
    return this.chosen.size ? [...this.chosen].toSorted((a, b) => a - b) : [this.at];
  }

  decide(decision) {
    const { sample } = this.items;
    if (sample[this.at] === undefined) return;
    const positions = this.meant();
    this.done.push(positions.map((position) => [sample[position], this.decisions[sample[position]] ?? null]));
    this.send(positions.map((position) => [sample[position], decision]));
    this.chosen.clear();
    this.go(Math.min(positions.at(-1) + 1, sample.length - 1));
    this.anchor = this.at;
    this.draw();
  }

  send(edits) {
    this.log.add({ edits, before: edits.map(([sample]) => this.decisions[sample] ?? null) });
    this.decisions = decided(this.data.decisions, this.log.pending);
    this.tell("ops", this.log.pending);
    const [[sample, decision]] = edits;
    this.heard.textContent = `${edits.length > 1 ? `${edits.length} samples` : `Sample ${sample}`}: ${decision ?? "as the filter says"}`;
  }

  /* What this tab decided last is as it was before, and its first sample is looked at again. */
  undo() {
    const edits = undone(this.done);
    if (!edits) return;
    this.send(edits);
    this.chosen.clear();
    const at = this.items.sample.indexOf(edits[0][0]);
    if (at >= 0) this.go(at); // a filter may hide it
    this.anchor = this.at;
    this.draw();
  }

  /* Python shows another sample in the inspector, unless it shows this one already, or the page is left. The address follows without
     a step of the browser's history: its back button leaves the samples, however many were looked at. */
  select() {
    clearTimeout(this.selecting);
    this.selecting = setTimeout(() => {
      const sample = this.items.sample[this.at];
      if (sample === undefined || !this.root.isConnected) return;
      const address = new URL(location.href);
      address.searchParams.set("sample", sample);
      history.replaceState(history.state, "", address);
      if (sample === (this.told ?? this.data.selected)) return;
      this.told = sample;
      this.tell("selected", sample);
    }, SELECT_MS);
  }

  // --- the page ---

  build(parent) {
    this.root = make("div", "gallery");
    const bar = make("div", "bar");
    this.note = make("span", "said");
    this.buttons = [
      ["Keep", "K", () => this.decide("keep")],
      ["Reject", "X", () => this.decide("reject")],
      ["As filtered", "F", () => this.decide(null)],
      ["Undo", "U", () => this.undo()],
    ].map(([label, key, act]) => {
      const button = make("button", "", `${label} `);
      button.type = "button";
      button.append(make("kbd", "", key));
      button.addEventListener("click", () => {
        act();
        this.view.focus({ preventScroll: true });
      });
      return button;
    });
    bar.append(this.note, ...this.buttons);
    this.view = make("div", "view");
    this.view.tabIndex = 0;
    this.view.setAttribute("role", "listbox");
    this.view.setAttribute("aria-multiselectable", "true");
    this.view.setAttribute("aria-busy", "true"); // a list without anything to choose
    this.view.setAttribute(
      "aria-label",
      "Samples. Arrow keys move, with Shift they select, Ctrl+A selects all; K keeps, X rejects, F follows the filter again, U or Ctrl+Z undoes.",
    );
    this.room = make("div", "room");
    this.view.append(this.room);
    this.heard = make("div", "sr");
    this.heard.setAttribute("aria-live", "polite");
    this.root.append(bar, this.view, this.heard);
    parent.append(this.root);
    this.view.addEventListener("keydown", (event) => this.key(event));
    this.view.addEventListener("scroll", () => {
      cancelAnimationFrame(this.frame);
      this.frame = requestAnimationFrame(() => this.draw(true));
    });
    new ResizeObserver(() => this.draw()).observe(this.view);
  }

  key(event) {
    const meant = keyed(
      { key: event.key, modified: event.ctrlKey || event.metaKey || event.altKey, command: event.ctrlKey || event.metaKey, shift: event.shiftKey },
      {
        at: this.at,
        total: this.items.sample.length,
        columns: this.grid.columns,
        page: this.grid.columns * Math.max(1, Math.floor(this.view.clientHeight / this.grid.rowHeight)),
      },
    );
    if (!meant) return;
    if (meant.undo) this.undo();
    else if ("decision" in meant) this.decide(meant.decision);
    else if (meant.all) this.choose(range(0, this.items.sample.length - 1));
    else if (meant.none) this.choose([]);
    else this.move(meant.to, meant.extend);
    event.preventDefault();
    event.stopPropagation();
  }

  choose(positions) {
    this.chosen = new Set(this.items.sample.length ? positions : []);
    this.draw();
  }

  /* Look at another position; extend: and select all from where the selection began. */
  move(to, extend) {
    if (to < 0) return;
    this.go(to);
    if (!extend) this.anchor = to;
    this.choose(extend ? range(this.anchor, to) : []);
  }

  /* A click: alone, with Shift (all between), with Ctrl or the Mac's own key (this one more, or not). */
  click(position, event) {
    if (event.ctrlKey || event.metaKey) {
      const before = this.chosen.size ? this.chosen : new Set([this.at]);
      const more = new Set(before);
      if (before.has(position) && before.size > 1) more.delete(position);
      else more.add(position);
      this.go(position);
      this.anchor = position;
      this.choose(more);
    } else this.move(position, event.shiftKey);
    this.view.focus({ preventScroll: true });
  }

  go(to) {
    if (to < 0) return;
    this.at = to;
    this.view.scrollTop = scrolled(this.grid, to, this.view.scrollTop, this.view.clientHeight);
    this.select();
  }

  draw(scrolling = false) {
    const width = this.view.clientWidth;
    if (!this.data || width <= GAP) return;
    const total = this.items.sample.length;
    this.grid = grid(width, { cell: CELL, foot: FOOT, gap: GAP });
    const { columns, side, rowHeight } = this.grid;
    this.room.style.height = `${Math.ceil(total / columns) * rowHeight + GAP}px`;
    const { first, last } = onScreen(this.grid, total, this.view.scrollTop, this.view.clientHeight, SPARE_ROWS);
    for (const [position, cell] of this.cells) {
      if (position < first || position >= last) {
        cell.remove();
        this.cells.delete(position);
      }
    }
    for (let position = first; position < last; position++) this.cell(position, side);
    this.empty ??= make("div", "empty", "No sample fits these filters.");
    const known = this.address !== null && this.loaded === this.address;
    if (total === 0 && known) this.room.append(this.empty);
    else this.empty.remove();
    this.view.setAttribute("aria-busy", String(total === 0));
    this.say(total);
    clearTimeout(this.resting);
    this.resting = setTimeout(() => this.pictures(), scrolling ? REST_MS : 0);
  }

  cell(position, side) {
    const { items } = this;
    const sample = items.sample[position];
    let cell = this.cells.get(position);
    if (!cell) {
      cell = make("div", "cell");
      cell.setAttribute("role", "option");
      cell.append(make("img"), make("span", "mark"), make("div", "foot"));
      cell.children[0].alt = "";
      cell.children[2].append(make("span", "name", items.classes[items.class[position]]), make("span", "", `${items.accepted[position] ? "✓" : "✕"} ${items.probability[position].toFixed(2)}`));
      cell.id = `sample-${sample}`;
      cell.addEventListener("click", (event) => this.click(position, event));
      this.cells.set(position, cell);
      this.room.append(cell);
    }
    const decision = this.decisions[sample];
    const accepted = items.accepted[position] === 1;
    cell.className = `cell ${accepted ? "accepted" : "rejected"}${decision ? " decided" : ""}${position === this.at ? " here" : ""}${this.chosen.has(position) ? " chosen" : ""}`;
    cell.style.cssText =
      `left:${GAP + (position % this.grid.columns) * (side + GAP)}px;top:${GAP + Math.floor(position / this.grid.columns) * this.grid.rowHeight}px;` +
      `width:${side}px;height:${side + FOOT}px;--tone:var(--${accepted ? "accepted" : "rejected"});` +
      `--decided:var(--${decision === "keep" ? "accepted" : "rejected"})`;
    cell.children[1].textContent = decision === "keep" ? "✓" : "✕";
    cell.setAttribute("aria-selected", String(this.chosen.size ? this.chosen.has(position) : position === this.at));
    if (position === this.at) this.view.setAttribute("aria-activedescendant", cell.id);
    const said = decision ? `, ${decision} by a person` : "";
    const mark = accepted ? "✓" : "✕";
    cell.setAttribute(
      "aria-label",
      `${items.classes[items.class[position]]} ${mark} ${items.probability[position].toFixed(2)}, sample ${sample}, ${items.reasons[items.reason[position]]}${said}`,
    );
    cell.title = items.reasons[items.reason[position]];
  }

  /* Ask for the pictures that are on screen and not there yet, a strip of many in one answer. */
  pictures() {
    const missing = [];
    for (const [position, cell] of this.cells) {
      const sample = this.items.sample[position];
      const picture = this.seen.get(sample);
      if (picture) cell.children[0].src = picture;
      else if (!this.asked.has(sample)) missing.push(sample);
    }
    for (const numbers of parts(missing, STRIP)) this.strip(this.data.pictures, numbers);
  }

  async strip(address, numbers) {
    for (const sample of numbers) this.asked.add(sample);
    try {
      const answer = await fetch(`${address}${numbers.join(",")}`, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      const strip = await createImageBitmap(await answer.blob());
      if (address !== this.data.pictures) return; // another run meanwhile
      const side = strip.height / numbers.length;
      const canvas = make("canvas");
      [canvas.width, canvas.height] = [strip.width, side];
      const pen = canvas.getContext("2d");
      for (const [k, sample] of numbers.entries()) {
        pen.drawImage(strip, 0, -k * side);
        this.seen.set(sample, canvas.toDataURL());
      }
      for (const sample of [...this.seen.keys()].slice(0, Math.max(0, this.seen.size - KEPT))) this.seen.delete(sample);
    } catch {
      this.note.textContent = "Some pictures could not be loaded; they are asked for again when you scroll.";
    }
    for (const sample of numbers) this.asked.delete(sample);
    for (const [position, cell] of this.cells) {
      const picture = this.seen.get(this.items.sample[position]);
      if (picture && cell.children[0].src !== picture) cell.children[0].src = picture;
    }
  }

  say(total) {
    const { items, at } = this;
    const sample = items.sample[at];
    for (const button of this.buttons) button.disabled = sample === undefined;
    this.buttons[3].disabled = this.done.length === 0;
    if (this.chosen.size > 1) {
      this.note.textContent = `${this.chosen.size.toLocaleString("en-US")} of ${total.toLocaleString("en-US")} selected: K, X or F decides about all of them, Escape lets go`;
      return;
    }
    if (sample === undefined) {
      if (this.loaded === this.address) this.note.textContent = "0 samples";
      return;
    }
    const decision = this.decisions[sample];
    const verdict = decision ? `${decision === "keep" ? "kept" : "rejected"} by a person` : items.reasons[items.reason[at]];
    this.note.textContent =
      `${(at + 1).toLocaleString("en-US")} of ${total.toLocaleString("en-US")} · sample ${sample} · ` +
      `${items.classes[items.class[at]]} · p ${items.probability[at].toFixed(3)} · ${verdict}`;
  }
}
