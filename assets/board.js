/* The super-class board. Names are only ever written with textContent. One instance lives on the parent element: this
   function is called again whenever data or theme changes, and DOM, scroll and focus survive that. */

import { OperationLog } from "./operations.mjs";
import { destinations, found, keyed, nearest, shown, titleOf } from "./board_logic.mjs";

const KEEP = "__gmaugBoard";

export default function (component) {
  const { parentElement, data, setStateValue } = component;
  const board = (parentElement[KEEP] ??= new Board(parentElement));
  board.send = (ops) => setStateValue("ops", ops);
  board.receive(data);
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

const number = (n) => n.toLocaleString("en-US");
const several = (n, one, many) => `${number(n)} ${n === 1 ? one : many}`;

class Board {
  constructor(parent) {
    this.log = new OperationLog();
    this.groups = [];
    this.chosen = new Set();
    this.cards = new Map(); // sub-class -> element
    this.panels = new Map(); // super-class -> element
    this.query = "";
    this.build(parent);
  }

  // --- talking with Python ---

  receive(data) {
    if (data.board !== this.name) {
      // another grouping or dataset on the same element: nothing of the one before may reach it
      Object.assign(this, { name: data.board, log: new OperationLog(data.mount, data.ack), waiting: [], query: "" });
      this.search.value = this.freshName.value = "";
      this.chosen.clear();
      this.cards.clear();
      this.panels.clear();
      this.list.replaceChildren();
    }
    const taken = this.log.receive(data);
    if (taken === "stale") return;
    if (taken === "resend") this.send(this.log.pending);
    this.data = data;
    this.groups = this.log.pending.reduce(shown, data.groups);
    this.freshName.maxLength = this.answer.maxLength = data.name_length;
    this.draw();
  }

  do(op) {
    if (this.data.locked) return;
    this.log.add(op);
    this.groups = shown(this.groups, op);
    this.draw();
    this.send(this.log.pending);
  }

  move(subs, to) {
    const moved = subs.filter((sub) => titleOf(this.groups, sub) !== to);
    if (this.data.locked || !moved.length) return;
    this.chosen.clear();
    this.do({ do: "move", subs: moved, to });
    this.say(`${moved.length === 1 ? moved[0] : several(moved.length, "sub-class", "sub-classes")} moved to ${to}`);
    this.focusCard(moved[0]);
  }

  // --- the elements ---

  build(parent) {
    this.root = make("div", "board");
    const bar = make("div", "bar");
    this.search = make("input", "field search");
    Object.assign(this.search, { type: "search", placeholder: "Find a sub-class", spellcheck: false });
    this.search.setAttribute("aria-label", "Find a sub-class");
    this.search.addEventListener("input", () => {
      this.query = this.search.value.trim().toLowerCase();
      this.draw();
    });
    this.undo = this.button("Undo", () => this.do({ do: "undo" }));
    this.redo = this.button("Redo", () => this.do({ do: "redo" }));
    this.status = make("div", "status");
    this.status.setAttribute("role", "status");
    bar.append(this.search, this.undo, this.redo, make("div", "gap"), this.status);
    this.stage = make("div", "stage");
    this.list = make("div", "panels");
    this.stage.append(this.list);
    this.buildFresh();
    this.buildPicked();
    this.buildDialog();
    this.help = make("div", "help");
    for (const [keys, what] of [
      ["← → ↑ ↓", "go from card to card"],
      ["M", "or Enter: move to…"],
      ["1 – 9", "move to that super-class"],
      ["Shift ← →", "move to the neighbour"],
      ["Space", "select several"],
      ["N", "new super-class"],
      ["F2", "rename it"],
      ["/", "find"],
      ["Ctrl Z", "undo"],
    ]) {
      const item = make("span");
      item.append(make("kbd", "", keys), " " + what);
      this.help.append(item);
    }
    this.spoken = make("div", "");
    this.spoken.setAttribute("aria-live", "polite");
    this.spoken.style.cssText = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)";
    this.root.append(bar, this.stage, this.help, this.spoken, this.dialog);
    this.root.addEventListener("keydown", (event) => this.onKey(event));
    parent.append(this.root);
  }

  button(text, act, className = "button") {
    const button = make("button", className, text);
    button.type = "button";
    button.addEventListener("click", act);
    return button;
  }

  buildFresh() {
    this.fresh = make("section", "panel fresh");
    this.freshSay = make("div", "say");
    const row = make("div", "row");
    this.freshName = make("input", "field");
    Object.assign(this.freshName, { placeholder: "New super-class", spellcheck: false });
    this.freshName.setAttribute("aria-label", "Name of a new super-class");
    row.append(this.freshName, this.button("Add", () => this.addFresh()));
    this.fresh.append(row, this.freshSay);
    this.waiting = []; // dropped here, waiting for a name
    this.freshName.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.addFresh();
      if (event.key === "Escape") {
        this.waiting = [];
        this.freshName.value = "";
        this.draw();
      }
    });
    this.target(this.fresh, (subs) => {
      this.waiting = subs;
      this.draw();
      this.freshName.focus();
    });
  }

  addFresh() {
    const name = this.freshName.value;
    if (!name) return this.freshName.focus();
    const subs = this.waiting;
    this.waiting = [];
    this.freshName.value = "";
    if (subs.length) this.move(subs, name);
    else this.do({ do: "add", name });
    this.panels.get(name)?.scrollIntoView({ block: "nearest" });
  }

  buildPicked() {
    this.picked = make("div", "picked");
    this.pickedSay = make("strong");
    this.picked.append(
      this.pickedSay,
      make("div", "gap"),
      this.button("Move to…", () => this.ask([...this.chosen]), "button main"),
      this.button("Clear selection", () => {
        this.chosen.clear();
        this.draw();
      }),
    );
    this.stage.append(this.picked);
  }

  buildDialog() {
    this.dialog = make("dialog");
    this.question = make("h3");
    this.answer = make("input", "field");
    Object.assign(this.answer, { spellcheck: false, placeholder: "Type to find, or a new name" });
    this.answer.setAttribute("role", "combobox");
    this.answer.setAttribute("aria-label", "Super-class to move to");
    this.answer.setAttribute("aria-expanded", "true");
    this.answer.setAttribute("aria-controls", "options");
    this.options = make("ul", "options");
    this.options.id = "options";
    this.options.setAttribute("role", "listbox");
    this.dialog.append(this.question, this.answer, this.options);
    this.answer.addEventListener("input", () => this.drawOptions(0));
    this.answer.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step && event.key !== "Enter") return;
      event.preventDefault();
      if (step) this.drawOptions(this.at + step);
      else this.choose(this.at);
    });
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
    this.dialog.addEventListener("close", () => this.focusCard(this.asked[0]));
  }

  ask(subs) {
    if (this.data.locked || !subs.length) return;
    this.asked = subs;
    this.question.textContent = subs.length === 1 ? `Move ${subs[0]} to…` : `Move ${subs.length} sub-classes to…`;
    this.answer.value = "";
    this.drawOptions(0);
    this.dialog.showModal();
    this.answer.focus();
  }

  drawOptions(at) {
    const here = this.asked.length === 1 ? titleOf(this.groups, this.asked[0]) : null;
    this.choices = destinations(this.groups, this.answer.value, here);
    this.at = this.choices.length ? (at + this.choices.length) % this.choices.length : 0;
    this.options.replaceChildren(
      ...this.choices.map(({ title, size, fresh }, i) => {
        const item = make("li");
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", String(i === this.at));
        item.append(make("span", "", title), make("span", "meta", fresh ? "new" : several(size, "sub-class", "sub-classes")));
        item.addEventListener("click", () => this.choose(i));
        return item;
      }),
    );
    this.options.children[this.at]?.scrollIntoView({ block: "nearest" });
  }

  choose(i) {
    const choice = this.choices[i];
    if (choice === undefined) return;
    const subs = this.asked;
    this.dialog.close();
    this.move(subs, choice.title);
  }

  card(sub) {
    let card = this.cards.get(sub);
    if (card) return card;
    const [count, shots] = this.data.classes[sub] ?? [0, []];
    card = make("div", "card");
    card.sub = sub;
    card.draggable = !this.data.locked;
    card.setAttribute("role", "listitem");
    const strip = make("div", "shots");
    for (const index of shots) {
      const image = make("img");
      Object.assign(image, { src: `${this.data.pictures}${index}?size=96`, alt: "", loading: "lazy", decoding: "async", draggable: false });
      image.addEventListener("load", () => image.naturalWidth < 34 && strip.classList.add("tiny"));
      strip.append(image);
    }
    const words = make("div", "words");
    words.append(make("div", "name", sub), make("div", "n", several(count, "image", "images")));
    card.title = sub;
    card.append(strip, words);
    card.addEventListener("click", (event) => {
      this.focusCard(sub);
      if (event.ctrlKey || event.metaKey || event.shiftKey) this.toggle(sub);
    });
    card.addEventListener("dblclick", () => this.ask([sub]));
    card.addEventListener("dragstart", (event) => {
      this.dragged = this.chosen.has(sub) ? [...this.chosen] : [sub];
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", sub);
      for (const name of this.dragged) this.cards.get(name)?.classList.add("dragged");
    });
    card.addEventListener("dragend", () => {
      this.dragged = null;
      for (const other of this.cards.values()) other.classList.remove("dragged");
      for (const panel of this.root.querySelectorAll(".over")) panel.classList.remove("over");
    });
    this.cards.set(sub, card);
    return card;
  }

  target(panel, drop) {
    panel.addEventListener("dragover", (event) => {
      if (!this.dragged) return;
      event.preventDefault();
      panel.classList.add("over");
    });
    panel.addEventListener("dragleave", (event) => panel.contains(event.relatedTarget) || panel.classList.remove("over"));
    panel.addEventListener("drop", (event) => {
      event.preventDefault();
      panel.classList.remove("over");
      if (this.dragged) drop(this.dragged);
    });
  }

  panel(name) {
    let panel = this.panels.get(name);
    if (panel) return panel;
    panel = make("section", "panel");
    panel.setAttribute("role", "group");
    panel.key = make("span", "key");
    panel.heading = this.button(name, () => this.rename(panel.name), "title");
    panel.heading.setAttribute("aria-label", `${name}: rename this super-class`);
    panel.meta = make("span", "meta");
    panel.gone = this.button("Remove", () => this.do({ do: "remove", name: panel.name }), "remove");
    panel.head = make("div", "head");
    panel.head.append(panel.key, panel.heading, panel.meta, panel.gone);
    panel.cards = make("div", "cards");
    panel.cards.setAttribute("role", "list");
    panel.nothing = make("div", "nothing", "Nothing here yet; it is not scored");
    panel.append(panel.head, panel.cards, panel.nothing);
    panel.name = name;
    panel.setAttribute("aria-label", name);
    this.target(panel, (subs) => this.move(subs, panel.name));
    this.panels.set(name, panel);
    return panel;
  }

  rename(name) {
    const panel = this.panels.get(name);
    if (!panel || this.data.locked || panel.head.querySelector(".rename")) return;
    const input = make("input", "field rename");
    Object.assign(input, { value: name, maxLength: this.data.name_length, spellcheck: false });
    input.setAttribute("aria-label", `New name of ${name}`);
    panel.heading.hidden = true;
    panel.heading.after(input);
    input.focus();
    input.select();
    let done = false;
    const end = (save) => {
      if (done) return;
      done = true;
      const to = input.value;
      input.remove();
      panel.heading.hidden = false;
      panel.heading.focus();
      if (!save || !to || to === name) return;
      this.do({ do: "rename", name, to });
      this.panels.get(to)?.heading.focus();
    };
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") end(true);
      if (event.key === "Escape") end(false);
    });
    input.addEventListener("blur", () => end(true));
  }

  // --- drawing: elements are kept and put in order ---

  draw() {
    const data = this.data;
    const focused = this.root.getRootNode().activeElement;
    this.root.classList.toggle("locked", data.locked);
    const names = new Set(this.groups.map(([name]) => name));
    for (const [name, panel] of this.panels) {
      if (names.has(name)) continue;
      panel.remove();
      this.panels.delete(name);
    }
    const wanted = [];
    this.groups.forEach(([name, subs], i) => {
      const panel = this.panel(name);
      const seen = found(name, subs, this.query);
      const cards = subs.map((sub) => this.card(sub));
      cards.forEach((card, k) => {
        card.hidden = !seen.cards[k];
        card.classList.toggle("chosen", this.chosen.has(card.sub));
        card.setAttribute("aria-label", `${card.sub}, ${several((data.classes[card.sub] ?? [0])[0], "image", "images")}, in ${name}${this.chosen.has(card.sub) ? ", selected" : ""}`);
      });
      panel.hidden = !seen.panel;
      panel.key.hidden = i > 8 || data.locked;
      panel.key.textContent = String(i + 1);
      const images = subs.reduce((sum, sub) => sum + (data.classes[sub] ?? [0])[0], 0);
      panel.meta.textContent = subs.length > 1 ? `${subs.length} · ${several(images, "image", "images")}` : "";
      panel.meta.title = `${several(subs.length, "sub-class", "sub-classes")}, ${several(images, "training image", "training images")}`;
      panel.gone.hidden = subs.length > 0 || data.locked;
      panel.heading.disabled = data.locked;
      panel.nothing.hidden = subs.length > 0;
      order(panel.cards, cards);
      wanted.push(panel);
    });
    this.fresh.hidden = data.locked;
    this.freshSay.textContent = this.waiting.length
      ? `Name it, and ${this.waiting.length === 1 ? this.waiting[0] : several(this.waiting.length, "sub-class", "sub-classes")} will move there`
      : "Or drop cards here";
    order(this.list, [...wanted, this.fresh]);
    this.list.classList.toggle("few", wanted.length < 3);
    this.picked.hidden = this.chosen.size === 0;
    this.pickedSay.textContent = several(this.chosen.size, "sub-class", "sub-classes") + " selected";
    for (const button of [this.undo, this.redo]) button.hidden = data.locked;
    this.help.hidden = data.locked;
    const bad = Boolean(data.problem) && !this.log.pending.length;
    this.status.classList.toggle("bad", bad);
    this.status.textContent = bad ? data.problem : this.log.pending.length ? "Saving…" : data.locked ? "" : data.revision ? `Saved · revision ${data.revision}` : "A proposal; your first edit saves it";
    if (focused?.sub && focused !== this.root.getRootNode().activeElement) focused.focus({ preventScroll: true });
    this.rove();
  }

  /* One card is in the tab order; the arrows go on from there. */
  rove() {
    const cards = this.visible();
    const active = this.root.getRootNode().activeElement;
    const current = cards.includes(active) ? active : cards.find((card) => card.tabIndex === 0) ?? cards[0];
    for (const card of this.cards.values()) card.tabIndex = card === current ? 0 : -1;
  }

  visible() {
    return [...this.list.querySelectorAll(".card")].filter((card) => !card.hidden && card.offsetParent);
  }

  focusCard(sub) {
    const card = this.cards.get(sub);
    if (!card) return;
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" });
    this.rove();
  }

  toggle(sub) {
    if (this.data.locked) return;
    if (!this.chosen.delete(sub)) this.chosen.add(sub);
    this.draw();
  }

  say(text) {
    this.spoken.textContent = text;
  }

  // --- the keyboard ---

  onKey(event) {
    event.stopPropagation(); // Streamlit has shortcuts on single letters
    const card = event.target;
    const titles = this.groups.map(([title]) => title);
    const here = card.sub ? titles.indexOf(titleOf(this.groups, card.sub)) : -1;
    const field = card === this.search ? "search" : "field";
    const meant = keyed(
      { key: event.key, shift: event.shiftKey, command: event.ctrlKey || event.metaKey, alt: event.altKey },
      {
        place: card.tagName === "INPUT" ? field : card.sub ? "card" : "elsewhere",
        open: this.dialog.open,
        locked: this.data.locked,
        titles,
        here,
      },
    );
    if (!meant) return;
    event.preventDefault();
    const subs = this.chosen.has(card.sub) ? [...this.chosen] : [card.sub];
    const acts = {
      undo: () => this.do({ do: "undo" }),
      redo: () => this.do({ do: "redo" }),
      find: () => this.search.focus(),
      new: () => this.freshName.focus(),
      first: () => this.visible()[0]?.focus(),
      last: () => this.visible().at(-1)?.focus(),
      go: () => this.go(card, meant.dx, meant.dy),
      move: () => this.move(subs, meant.to),
      ask: () => this.ask(subs),
      choose: () => this.toggle(card.sub),
      rename: () => this.rename(titles[here]),
      clear: () => {
        this.chosen.clear();
        this.draw();
      },
      nothing: () => {},
    };
    acts[meant.act]();
  }

  /* To the nearest card in a direction, as it looks on screen. */
  go(from, dx, dy) {
    const others = this.visible().filter((card) => card !== from);
    const rectangles = others.map((card) => card.getBoundingClientRect());
    const next = others[nearest(from.getBoundingClientRect(), rectangles, dx, dy)];
    if (next) this.focusCard(next.sub);
  }
}

/* Make the children of `parent` exactly `wanted`, moving only what is out of place. */
function order(parent, wanted) {
  const keep = new Set(wanted);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  wanted.forEach((child, i) => parent.children[i] === child || parent.insertBefore(child, parent.children[i] ?? null));
}
