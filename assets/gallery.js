/* The sample gallery: a windowed grid, reviewed by keyboard. Names are only ever written with textContent. One instance lives
   on the parent element: this function is called again whenever data or theme changes, and DOM, scroll and focus survive. */

import { OperationLog } from "./operations.mjs";
import { decided, grid, keyed, onScreen, scrolled, undone } from "./gallery_logic.mjs";

const KEEP = "__gmaugGallery";
const CELL = 96; // px, at least
const FOOT = 20;
const GAP = 6;
const REST_MS = 90; // pictures are asked for when the scroll has rested
const SELECT_MS = 140; // the inspector follows when the arrow keys have rested
const SPARE_ROWS = 2;

export default function (component) {
  const { parentElement, data, setStateValue } = component;
  const gallery = (parentElement[KEEP] ??= new Gallery(parentElement));
  gallery.tell = setStateValue;
  gallery.receive(data);
  return () => {
    // called when the component leaves the page, and when it is called again: nothing outside our own element to undo
  };
}

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

class Gallery {
  constructor(parent) {
    this.log = new OperationLog();
    this.items = { sample: [], classes: [], reasons: [] };
    this.decisions = {};
    this.done = []; // what this tab decided, for undo: {sample, before}
    this.cells = new Map(); // position -> element
    this.at = 0;
    this.build(parent);
  }

  // --- talking with Python ---

  receive(data) {
    const taken = this.log.receive(data);
    if (taken === "stale") return;
    if (taken === "resend") this.tell("ops", this.log.pending);
    this.data = data;
    this.decisions = decided(data.decisions, this.log.pending);
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
    this.at = 0;
    this.view.scrollTop = 0;
    for (const cell of this.cells.values()) cell.remove();
    this.cells.clear();
    this.draw();
    if (items.sample.length) this.select();
  }

  decide(decision) {
    const sample = this.items.sample[this.at];
    if (sample === undefined) return;
    this.done.push({ sample, before: this.decisions[sample] ?? null });
    this.send(sample, decision);
    this.go(Math.min(this.at + 1, this.items.sample.length - 1));
    this.draw();
  }

  send(sample, decision) {
    this.log.add({ sample, decision });
    this.decisions = decided(this.data.decisions, this.log.pending);
    this.tell("ops", this.log.pending);
    this.heard.textContent = `Sample ${sample}: ${decision ?? "as the filter says"}`;
  }

  /* The last decision of this tab is as it was before, and its sample is looked at again. */
  undo() {
    const back = undone(this.done);
    if (!back) return;
    this.send(back.sample, back.decision);
    const at = this.items.sample.indexOf(back.sample);
    if (at >= 0) this.go(at); // a filter may hide it
    this.draw();
  }

  select() {
    clearTimeout(this.selecting);
    this.selecting = setTimeout(() => this.tell("selected", this.items.sample[this.at]), SELECT_MS);
  }

  // --- the page ---

  build(parent) {
    this.root = make("div", "gallery");
    const bar = make("div", "bar");
    this.note = make("span", "said");
    this.buttons = [
      ["Keep", "K", () => this.decide("keep")],
      ["Reject", "X", () => this.decide("reject")],
      ["As the filter says", "F", () => this.decide(null)],
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
    this.view.setAttribute("aria-label", "Samples. Arrow keys move, K keeps, X rejects, F follows the filter again, U or Ctrl+Z undoes.");
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
      { key: event.key, modified: event.ctrlKey || event.metaKey || event.altKey, command: event.ctrlKey || event.metaKey },
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
    else {
      this.go(meant.to);
      this.draw();
    }
    event.preventDefault();
    event.stopPropagation();
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
    if (total === 0 && this.address) this.room.append(this.empty);
    else this.empty.remove();
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
      cell.addEventListener("click", () => {
        this.go(position);
        this.draw();
        this.view.focus({ preventScroll: true });
      });
      this.cells.set(position, cell);
      this.room.append(cell);
    }
    const decision = this.decisions[sample];
    const accepted = items.accepted[position] === 1;
    cell.className = `cell ${accepted ? "accepted" : "rejected"}${decision ? " decided" : ""}${position === this.at ? " here" : ""}`;
    cell.style.cssText =
      `left:${GAP + (position % this.grid.columns) * (side + GAP)}px;top:${GAP + Math.floor(position / this.grid.columns) * this.grid.rowHeight}px;` +
      `width:${side}px;height:${side + FOOT}px;--tone:var(--${accepted ? "accepted" : "rejected"});` +
      `--decided:var(--${decision === "keep" ? "accepted" : "rejected"})`;
    cell.children[1].textContent = decision === "keep" ? "✓" : "✕";
    cell.setAttribute("aria-selected", String(position === this.at));
    const said = decision ? `, ${decision} by a person` : "";
    cell.setAttribute("aria-label", `Sample ${sample}, ${items.classes[items.class[position]]}, ${items.reasons[items.reason[position]]}${said}`);
    cell.title = items.reasons[items.reason[position]];
  }

  pictures() {
    for (const [position, cell] of this.cells) {
      const address = `${this.data.pictures}${this.items.sample[position]}.png`;
      if (cell.dataset.picture !== address) {
        cell.dataset.picture = address;
        cell.children[0].src = address;
      }
    }
  }

  say(total) {
    const { items, at } = this;
    const sample = items.sample[at];
    for (const button of this.buttons) button.disabled = sample === undefined;
    this.buttons[3].disabled = this.done.length === 0;
    if (sample === undefined) {
      this.note.textContent = this.address ? "0 samples" : this.note.textContent;
      return;
    }
    const decision = this.decisions[sample];
    const verdict = decision ? `${decision === "keep" ? "kept" : "rejected"} by a person` : items.reasons[items.reason[at]];
    this.note.textContent =
      `${(at + 1).toLocaleString("en-US")} of ${total.toLocaleString("en-US")} · sample ${sample} · ` +
      `${items.classes[items.class[at]]} · p ${items.probability[at].toFixed(3)} · ${verdict}`;
  }
}
