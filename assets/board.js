/* The super-class board. Names are only ever written with textContent. One instance lives on the parent element: this
   function is called again whenever data or theme changes, and DOM, scroll and focus survive that. */

import { OperationLog } from "./operations.mjs";
import { EDITS, another, best, between, found, keyed, nearest, parts, shown, titleOf } from "./board_logic.mjs";
import { make, whenSeen } from "./elements.mjs";
import { KeyDialog, MoveDialog, PanelDialog, PictureDialog, button, movable, several } from "./board_dialogs.mjs";

const KEEP = "__gmaugBoard";
const LOCKED = "This one stays as it is: start a grouping of your own above";

export default function (component) {
  const { parentElement, data, setStateValue } = component;
  const board = (parentElement[KEEP] ??= new Board(parentElement));
  board.send = (ops) => setStateValue("ops", ops);
  board.receive(data);
  const onKey = (event) => board.onPageKey(event);
  document.addEventListener("keydown", onKey);
  return () => document.removeEventListener("keydown", onKey); // also before this function is called again
}

class Board {
  constructor(parent) {
    this.groups = [];
    this.chosen = new Set();
    this.anchor = ""; // where a range begins
    this.recent = []; // titles that cards were moved to, the last one first
    this.cards = new Map(); // sub-class -> element
    this.panels = new Map(); // super-class -> element
    this.reached = undefined; // the one card in the tab order
    this.query = "";
    this.build(parent);
  }

  // --- talking with Python ---

  receive(data) {
    if (data.board !== this.name) {
      // another grouping or dataset on the same element: nothing of the one before may reach it
      Object.assign(this, { name: data.board, log: new OperationLog(data.log), waiting: [], query: "" });
      this.search.value = this.freshName.value = "";
      this.recent = [];
      this.reached = undefined;
      this.chosen.clear();
      this.cards.clear();
      this.panels.clear();
      this.list.replaceChildren();
      this.alone.replaceChildren();
    }
    const taken = this.log.receive(data);
    if (taken === "stale") return;
    if (taken === "resend") this.send(this.log.pending);
    this.data = data;
    this.groups = this.log.pending.reduce(shown, data.groups);
    this.freshName.maxLength = this.mover.answer.maxLength = data.name_length;
    this.draw();
    if (!this.greeted) this.greet();
  }

  /* The first key of a person is already the board's, unless they are busy elsewhere on the page. */
  greet() {
    this.greeted = true;
    const busy = document.activeElement;
    if (!busy || busy === document.body || busy.tagName === "A") this.visible()[0]?.focus({ preventScroll: true });
  }

  do(op) {
    if (this.data.locked) return;
    this.log.add({ ...op, after: this.data.revision + this.log.pending.length });
    this.groups = shown(this.groups, op);
    this.draw();
    this.send(this.log.pending);
  }

  move(subs, to) {
    const moved = subs.filter((sub) => titleOf(this.groups, sub) !== to);
    if (this.data.locked || !moved.length) return;
    const next = this.after(moved);
    this.recent = [to, ...this.recent.filter((title) => title !== to)];
    this.chosen.clear();
    this.do({ do: "move", subs: moved, to });
    this.say(`${moved.length === 1 ? moved[0] : several(moved.length, "sub-class", "sub-classes")} moved to ${to}`);
    this.focusCard(next ?? moved[0]);
  }

  takeOut(subs) {
    const moved = subs.filter((sub) => this.groups.some(([, all]) => all.length > 1 && all.includes(sub)));
    if (this.data.locked || !moved.length) return;
    this.chosen.clear();
    this.do({ do: "alone", subs: moved });
    this.say(`${several(moved.length, "sub-class stands", "sub-classes stand")} alone again`);
    this.focusCard(moved[0]);
  }

  /* Who is sorted next: the card of the tray after those that leave it; null where they come from elsewhere. A search
     that leads to nobody any more is over. */
  after(moved) {
    const rest = (names) => names.find((sub) => !moved.includes(sub));
    const tray = [...this.alone.children];
    const seen = tray.filter((card) => !card.hidden).map((card) => card.sub);
    if (!moved.some((sub) => tray.some((card) => card.sub === sub))) return null;
    if (rest(seen) === undefined) this.search.value = this.query = "";
    const names = this.query ? seen : tray.map((card) => card.sub);
    const at = Math.max(...moved.map((sub) => names.indexOf(sub)));
    return rest(names.slice(Math.max(at, 0))) ?? rest(names.toReversed()) ?? null;
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
    this.undo = button("Undo", () => this.do({ do: "undo" }));
    this.redo = button("Redo", () => this.do({ do: "redo" }));
    this.byName = button("A–Z", () => this.do({ do: "sort", by: "name" }));
    this.bySize = button("Largest first", () => this.do({ do: "sort", by: "size" }));
    this.byName.title = this.bySize.title = "The order of the super-classes; keys 1 to 9 go with it";
    this.status = make("div", "status");
    this.status.setAttribute("role", "status");
    const help = button("Keys ?", () => this.keys.open());
    bar.append(this.search, this.undo, this.redo, this.byName, this.bySize, make("div", "gap"), this.status, help);
    this.stage = make("div", "stage");
    this.list = make("div", "panels");
    this.buildTray();
    this.ownPart = make("div", "own");
    this.ownPart.append(this.list);
    this.stage.append(this.ownPart, this.tray);
    this.buildFresh();
    this.buildPicked();
    const back = () => this.asked.length && this.focusCard(this.asked[0]); // "close" comes after what was chosen
    this.asked = [];
    this.mover = new MoveDialog(movable(this), (title) => this.move(this.asked.splice(0), title), back);
    this.viewer = new PictureDialog(back);
    this.menu = new PanelDialog(() => {});
    this.keys = new KeyDialog(() => {});
    this.spoken = make("div", "");
    this.spoken.setAttribute("aria-live", "polite");
    this.spoken.style.cssText = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)";
    const dialogs = [this.mover, this.viewer, this.menu, this.keys].map(({ element }) => element);
    this.root.append(bar, this.stage, this.picked, this.spoken, ...dialogs);
    this.root.addEventListener("keydown", (event) => this.onKey(event));
    parent.append(this.root);
  }

  buildTray() {
    this.tray = make("section", "panel tray");
    this.tray.setAttribute("role", "group");
    this.tray.setAttribute("aria-label", "On their own");
    const head = make("div", "head");
    this.trayMeta = make("span", "meta");
    head.append(make("span", "title", "On their own"), this.trayMeta);
    this.alone = make("div", "cards");
    this.alone.setAttribute("role", "list");
    this.tray.append(head, this.alone);
    this.target(this.tray, (subs) => this.takeOut(subs));
  }

  buildFresh() {
    this.fresh = make("section", "panel fresh");
    this.freshSay = make("div", "say");
    const row = make("div", "row");
    this.freshName = make("input", "field");
    Object.assign(this.freshName, { placeholder: "New super-class", spellcheck: false });
    this.freshName.setAttribute("aria-label", "Name of a new super-class");
    row.append(this.freshName, button("Add", () => this.addFresh()));
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
      button("Move to…", () => this.ask([...this.chosen]), "button main"),
      button("Clear selection", () => {
        this.chosen.clear();
        this.draw();
      }),
    );
  }

  ask(subs, typed = "", merged = "") {
    if (this.data.locked || !subs.length) return;
    this.asked = [...subs];
    const homes = new Set(subs.map((sub) => titleOf(this.groups, sub)));
    this.askedHere = homes.size === 1 ? [...homes][0] : null;
    const what = several(subs.length, "sub-class", "sub-classes");
    if (merged) this.mover.open(`Merge ${merged} (${what}) into…`, typed);
    else this.mover.open(`Move ${subs.length === 1 ? subs[0] : what} to…`, typed);
  }

  view(sub) {
    this.asked = [sub];
    const [count, , number] = this.data.classes[sub] ?? [0, [], 0];
    this.viewer.open(sub, count, `${this.data.pictures}class/${number}`, this.data.pictures);
  }

  /* What a super-class can be told, beside what its cards can. */
  openMenu(title) {
    const subs = this.groups.find(([name]) => name === title)?.[1] ?? [];
    const titles = parts(this.groups).own.map(([name]) => name);
    const at = titles.indexOf(title);
    const split = [...this.chosen].filter((sub) => subs.includes(sub));
    const acts = [["Rename", "F2", () => this.rename(title)]];
    if (subs.length) acts.push(["Select all of it", "A", () => this.choose(subs)], ["Merge into…", "G", () => this.ask(subs, "", title)]);
    if (split.length && split.length < subs.length) acts.push(["Split off the selected ones…", "S", () => this.split(title)]);
    if (at > 0) acts.push(["Move forward", "[", () => this.do({ do: "place", name: title, before: titles[at - 1] })]);
    if (at < titles.length - 1) acts.push(["Move back", "]", () => this.do({ do: "place", name: title, before: titles[at + 2] ?? "" })]);
    if (subs.length) acts.push(["Take apart: each on its own", "", () => this.takeOut(subs)]);
    this.menu.open(title, acts);
  }

  split(title) {
    const titles = this.groups.map(([name]) => name);
    const subs = [...this.chosen].filter((sub) => titleOf(this.groups, sub) === title);
    this.ask(subs, another(titles, title));
  }

  choose(subs) {
    if (this.data.locked) return;
    for (const sub of subs) this.chosen.add(sub);
    this.draw();
  }

  /* Select from where the last selection began to here, in the order on screen. */
  extend(to) {
    const names = this.visible().map((card) => card.sub);
    this.chosen.clear();
    this.choose(between(names, this.anchor, to));
  }

  card(sub) {
    let card = this.cards.get(sub);
    if (card) return card;
    const [count, shots] = this.data.classes[sub] ?? [0, []];
    card = make("div", "card");
    card.sub = sub;
    card.draggable = !this.data.locked;
    card.tabIndex = -1;
    card.setAttribute("role", "listitem");
    const strip = make("div", "shots");
    for (let k = 0; k < shots.length; k++) {
      const image = make("img");
      Object.assign(image, { alt: "", decoding: "async", draggable: false });
      image.addEventListener("load", () => image.naturalWidth < 34 && strip.classList.add("tiny"));
      strip.append(image);
    }
    const words = make("div", "words");
    words.append(make("div", "name", sub), make("div", "n", several(count, "image", "images")));
    card.title = sub;
    card.append(strip, words);
    const address = this.data.pictures;
    whenSeen(card, () => shots.forEach((index, k) => (strip.children[k].src = `${address}${index}?size=96`)));
    card.addEventListener("click", (event) => {
      this.focusCard(sub);
      if (event.shiftKey) this.extend(sub);
      else if (event.ctrlKey || event.metaKey) this.toggle(sub);
      else this.anchor = sub;
    });
    card.addEventListener("pointermove", (event) => event.buttons && this.data.locked && this.refuse()); // a try to drag
    card.addEventListener("dblclick", () => this.view(sub));
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
    panel.heading = button(name, () => this.rename(panel.name), "title");
    panel.heading.setAttribute("aria-label", `${name}: rename this super-class`);
    panel.meta = make("span", "meta");
    panel.gone = button("Remove", () => this.do({ do: "remove", name: panel.name }), "remove");
    panel.more = button("⋯", () => this.openMenu(panel.name), "remove");
    panel.more.setAttribute("aria-label", `${name}: merge, split, order`);
    panel.head = make("div", "head");
    panel.head.append(panel.key, panel.heading, panel.meta, panel.gone, panel.more);
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
    const from = this.root.getRootNode().activeElement; // a card, where a key asked for it: the next key is for that card
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
      if (save && to && to !== name) this.do({ do: "rename", name, to });
      if (from?.sub) this.focusCard(from.sub);
      else this.panels.get(to)?.heading.focus();
    };
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault(); // else the heading, which has the focus by then, is pressed and opens the field again
      end(event.key === "Enter");
    });
    input.addEventListener("blur", () => end(true));
  }

  // --- drawing: elements are kept and put in order ---

  draw() {
    const data = this.data;
    const focused = this.root.getRootNode().activeElement;
    this.root.classList.toggle("locked", data.locked);
    const { own, tray } = parts(this.groups);
    const names = new Set(own.map(([name]) => name));
    for (const [name, panel] of this.panels) {
      if (names.has(name)) continue;
      panel.remove();
      this.panels.delete(name);
    }
    const wanted = own.map(([name, subs], i) => this.drawPanel(name, subs, i));
    this.drawTray(tray);
    this.fresh.hidden = data.locked;
    this.freshSay.textContent = this.waiting.length
      ? `Name it, and ${this.waiting.length === 1 ? this.waiting[0] : several(this.waiting.length, "sub-class", "sub-classes")} will move there`
      : wanted.length
        ? "Or drop cards here"
        : "No super-class yet: drop cards here, or press M on a card and type a name";
    order(this.list, [...wanted, this.fresh]);
    this.list.classList.toggle("few", wanted.length < 3);
    this.ownPart.hidden = data.locked && !wanted.length;
    this.stage.classList.toggle("begin", !wanted.length);
    this.picked.hidden = this.chosen.size === 0;
    this.pickedSay.textContent = several(this.chosen.size, "sub-class", "sub-classes") + " selected";
    for (const each of [this.undo, this.redo, this.byName, this.bySize]) each.hidden = data.locked;
    const [past, future] = data.steps;
    this.undo.disabled = !past && !this.log.pending.length;
    this.redo.disabled = !future;
    this.byName.disabled = this.bySize.disabled = wanted.length < 2;
    this.drawStatus();
    if (focused?.sub && focused !== this.root.getRootNode().activeElement) focused.focus({ preventScroll: true });
    this.rove();
  }

  drawPanel(name, subs, i) {
    const { locked } = this.data;
    const panel = this.panel(name);
    const seen = found(name, subs, this.query);
    const cards = subs.map((sub, k) => this.drawCard(sub, name, seen[k]));
    panel.key.hidden = i > 8 || locked;
    panel.key.textContent = String(i + 1);
    const images = subs.reduce((sum, sub) => sum + (this.data.classes[sub] ?? [0])[0], 0);
    panel.meta.textContent = subs.length ? `${subs.length} · ${several(images, "image", "images")}` : "";
    panel.meta.title = `${several(subs.length, "sub-class", "sub-classes")}, ${several(images, "training image", "training images")}`;
    panel.gone.hidden = subs.length > 0 || locked;
    panel.more.hidden = locked;
    panel.heading.disabled = locked;
    panel.nothing.hidden = subs.length > 0;
    panel.cards.hidden = !subs.length;
    order(panel.cards, cards);
    return panel;
  }

  drawTray(tray) {
    const cards = tray.map((sub) => this.drawCard(sub, "", found("", [sub], this.query)[0]));
    order(this.alone, cards);
    this.tray.hidden = !tray.length;
    this.trayMeta.textContent = several(tray.length, "sub-class", "sub-classes");
    this.trayMeta.title = "Each counts as a super-class of its own";
  }

  drawCard(sub, title, seen) {
    const card = this.card(sub);
    if (card.hidden === seen) card.hidden = !seen;
    card.classList.toggle("chosen", this.chosen.has(sub));
    const where = title ? `in ${title}` : "on its own";
    const images = several((this.data.classes[sub] ?? [0])[0], "image", "images");
    const label = `${sub}, ${images}, ${where}${this.chosen.has(sub) ? ", selected" : ""}`;
    if (card.label !== label) card.setAttribute("aria-label", (card.label = label)); // of ten thousand, one has changed
    return card;
  }

  drawStatus() {
    const { problem, locked, revision } = this.data;
    const waiting = this.log.pending.length > 0;
    const bad = Boolean(problem) && !waiting;
    const saved = revision ? `Saved · revision ${revision}` : "A proposal; your first edit saves it";
    this.status.classList.toggle("bad", bad);
    this.status.textContent = bad ? problem[0].toUpperCase() + problem.slice(1) : waiting ? "Saving…" : locked ? "" : saved;
  }

  /* A key that edits, on a board that stays as it is. */
  refuse() {
    this.status.textContent = LOCKED;
  }

  /* One card is in the tab order; the arrows go on from there. */
  rove() {
    const active = this.root.getRootNode().activeElement;
    const current = [active, this.reached].find((each) => each?.sub !== undefined && onScreen(each)) ?? this.visible()[0];
    if (current === this.reached) return;
    if (this.reached) this.reached.tabIndex = -1;
    if (current) current.tabIndex = 0;
    this.reached = current;
  }

  visible() {
    return [...this.stage.querySelectorAll(".card")].filter(onScreen);
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
    this.anchor = sub;
    this.draw();
  }

  say(text) {
    this.spoken.textContent = text;
  }

  // --- the keyboard ---

  /* A key that was pressed while nothing on the page had the focus. */
  onPageKey(event) {
    if (event.target !== document.body || !this.root.isConnected) return;
    if (this.reached) this.onKey(event, this.reached);
  }

  onKey(event, card = event.target) {
    event.stopPropagation(); // Streamlit has shortcuts on single letters
    const titles = parts(this.groups).own.map(([title]) => title);
    const title = card.sub ? titleOf(this.groups, card.sub) : "";
    const here = titles.indexOf(title);
    const field = card === this.search ? "search" : "field";
    const meant = keyed(
      { key: event.key, shift: event.shiftKey, command: event.ctrlKey || event.metaKey, alt: event.altKey },
      {
        place: card.tagName === "INPUT" ? field : card.sub ? "card" : "elsewhere",
        open: [this.mover, this.viewer, this.menu, this.keys].some(({ element }) => element.open),
        locked: this.data.locked,
        titles,
        here,
      },
    );
    if (!meant) return;
    event.preventDefault();
    if (this.data.locked && EDITS.has(meant.act)) return this.refuse();
    const subs = this.chosen.has(card.sub) ? [...this.chosen] : [card.sub];
    const all = this.groups.find(([name]) => name === title)?.[1] ?? [];
    const acts = {
      undo: () => this.do({ do: "undo" }),
      redo: () => this.do({ do: "redo" }),
      help: () => this.keys.open(),
      find: () => (this.search.focus(), this.search.select()),
      new: () => {
        this.waiting = [...this.chosen];
        this.draw();
        this.freshName.focus();
      },
      first: () => (card === this.search ? this.toBest() : this.visible()[0]?.focus()),
      last: () => this.visible().at(-1)?.focus(),
      go: () => this.go(card, meant.dx, meant.dy),
      extend: () => this.go(card, meant.dx, meant.dy, true),
      move: () => this.move(subs, meant.to),
      again: () => this.recent.length && this.move(subs, this.recent[0]),
      alone: () => this.takeOut(subs),
      ask: () => this.ask(subs),
      view: () => this.view(card.sub),
      all: () => this.choose(here < 0 ? [...this.alone.children].filter((each) => !each.hidden).map((each) => each.sub) : all),
      split: () => here >= 0 && this.split(title),
      merge: () => here >= 0 && this.ask(all, "", title),
      place: () => this.do({ do: "place", name: meant.name, before: meant.before }),
      choose: () => this.toggle(card.sub),
      rename: () => here >= 0 && this.rename(title),
      clear: () => {
        this.chosen.clear();
        this.search.value = this.query = "";
        this.draw();
        if (card === this.search) this.reached?.focus();
      },
      nothing: () => {},
    };
    acts[meant.act]();
  }

  /* From the search to the card whose name was typed, before those that only begin so or have it. */
  toBest() {
    const cards = this.visible();
    cards[best(cards.map((card) => card.sub), this.query)]?.focus();
  }

  /* To the nearest card in a direction, as it looks on screen. */
  go(from, dx, dy, selecting = false) {
    const others = this.visible().filter((card) => card !== from);
    const rectangles = others.map((card) => card.getBoundingClientRect());
    const next = others[nearest(from.getBoundingClientRect(), rectangles, dx, dy)];
    if (!next) return;
    if (!selecting) this.anchor = next.sub;
    else if (!this.chosen.has(from.sub)) this.anchor = from.sub;
    this.focusCard(next.sub);
    if (selecting) this.extend(next.sub);
  }
}

/* Whether a card is on the page, and what is searched for leaves it there. */
function onScreen(card) {
  return !card.hidden && card.offsetParent;
}

/* Make the children of `parent` exactly `wanted`, moving only what is out of place. */
function order(parent, wanted) {
  const keep = new Set(wanted);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  let at = parent.firstElementChild; // no index into children: each insertion would have them counted again
  for (const child of wanted) {
    if (child === at) at = at.nextElementSibling;
    else parent.insertBefore(child, at);
  }
}
