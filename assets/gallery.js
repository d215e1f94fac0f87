/* The sample gallery: a windowed grid, reviewed by keyboard. Names are only ever written with textContent. One instance lives
   on the parent element: this function is called again whenever data or theme changes, and DOM, scroll and focus survive. */

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
    this.pending = [];
    this.n = 0;
    this.mount = null;
    this.items = { sample: [], classes: [], reasons: [] };
    this.decisions = {};
    this.cells = new Map(); // position -> element
    this.at = 0;
    this.build(parent);
  }

  // --- talking with Python ---

  receive(data) {
    if (data.mount === this.mount && data.ack < this.acked) return; // an older answer that came late
    this.acked = data.ack;
    if (data.mount !== this.mount) {
      // a new session on the server: it knows nothing of our numbers, so what is not acknowledged gets new ones
      this.mount = data.mount;
      this.n = data.ack;
      this.pending = this.pending.map((op) => ({ ...op, n: ++this.n, mount: this.mount }));
      if (this.pending.length) this.tell("ops", this.pending);
    }
    this.n = Math.max(this.n, data.ack);
    this.pending = this.pending.filter((op) => op.n > data.ack);
    this.data = data;
    this.decisions = { ...data.decisions };
    for (const op of this.pending) this.put(op);
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

  put(op) {
    if (op.decision === null) delete this.decisions[op.sample];
    else this.decisions[op.sample] = op.decision;
  }

  decide(decision) {
    const sample = this.items.sample[this.at];
    if (sample === undefined) return;
    const op = { n: ++this.n, mount: this.mount, sample, decision };
    this.pending = [...this.pending, op];
    this.put(op);
    this.tell("ops", this.pending);
    this.heard.textContent = `Sample ${sample}: ${decision ?? "as the filter says"}`;
    this.go(Math.min(this.at + 1, this.items.sample.length - 1));
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
      ["Keep", "K", "keep"],
      ["Reject", "X", "reject"],
      ["As the filter says", "U", null],
    ].map(([label, key, decision]) => {
      const button = make("button", "", `${label} `);
      button.type = "button";
      button.append(make("kbd", "", key));
      button.addEventListener("click", () => {
        this.decide(decision);
        this.view.focus({ preventScroll: true });
      });
      return button;
    });
    bar.append(this.note, ...this.buttons);
    this.view = make("div", "view");
    this.view.tabIndex = 0;
    this.view.setAttribute("role", "listbox");
    this.view.setAttribute("aria-label", "Samples. Arrow keys move, K keeps, X rejects, U follows the filter again.");
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
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const page = this.columns * Math.max(1, Math.floor(this.view.clientHeight / this.rowHeight));
    const moves = {
      ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns,
      PageUp: -page, PageDown: page, Home: -Infinity, End: Infinity,
    };
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key in moves) {
      const to = this.at + moves[key];
      this.go(Math.max(0, Math.min(this.items.sample.length - 1, to)));
      this.draw();
    } else if (key === "k") this.decide("keep");
    else if (key === "x") this.decide("reject");
    else if (key === "u" || key === "Backspace") this.decide(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  go(to) {
    if (to < 0) return;
    this.at = to;
    const top = Math.floor(to / this.columns) * this.rowHeight;
    if (top < this.view.scrollTop) this.view.scrollTop = top;
    else if (top + this.rowHeight > this.view.scrollTop + this.view.clientHeight) this.view.scrollTop = top + this.rowHeight - this.view.clientHeight;
    this.select();
  }

  draw(scrolling = false) {
    const width = this.view.clientWidth - GAP;
    if (!this.data || width <= 0) return;
    const total = this.items.sample.length;
    this.columns = Math.max(1, Math.floor(width / (CELL + GAP)));
    const side = width / this.columns - GAP;
    this.rowHeight = side + FOOT + GAP;
    this.room.style.height = `${Math.ceil(total / this.columns) * this.rowHeight + GAP}px`;
    const first = Math.max(0, Math.floor(this.view.scrollTop / this.rowHeight) - SPARE_ROWS) * this.columns;
    const last = Math.min(total, (Math.ceil((this.view.scrollTop + this.view.clientHeight) / this.rowHeight) + SPARE_ROWS) * this.columns);
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
      `left:${GAP + (position % this.columns) * (side + GAP)}px;top:${GAP + Math.floor(position / this.columns) * this.rowHeight}px;` +
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
