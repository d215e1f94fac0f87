/* The super-class board. Names are only ever written with textContent. One instance lives on the parent element: this
   function is called again whenever data or theme changes, and DOM, scroll and focus survive that. */

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

/* The groups after one operation; the same rules as in Python, which has the last word. groups: [[name, [sub, ...]], ...] */
function applied(groups, op) {
  const clean = (text) => text.trim();
  if (op.do === "move") {
    const to = clean(op.to);
    const moved = new Set(op.subs.filter((sub) => !groups.some(([name, subs]) => name === to && subs.includes(sub))));
    const next = groups.map(([name, subs]) => [name, subs.filter((sub) => !moved.has(sub))]);
    let target = next.find(([name]) => name === to);
    if (!target) next.push((target = [to, []]));
    target[1].push(...op.subs.filter((sub) => moved.has(sub)));
    return next;
  }
  if (op.do === "add") return groups.some(([name]) => name === clean(op.name)) ? groups : [...groups, [clean(op.name), []]];
  if (op.do === "rename") {
    const taken = groups.some(([name]) => name === clean(op.to));
    return taken ? groups : groups.map(([name, subs]) => [name === op.name ? clean(op.to) : name, subs]);
  }
  if (op.do === "remove") return groups.filter(([name, subs]) => name !== op.name || subs.length);
  return groups; // undo and redo: only the server knows
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
    this.pending = [];
    this.n = 0;
    this.mount = null;
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
      Object.assign(this, { name: data.board, mount: data.mount, n: data.ack, pending: [], waiting: [], query: "" });
      this.search.value = this.freshName.value = "";
      this.chosen.clear();
      this.cards.clear();
      this.panels.clear();
      this.list.replaceChildren();
    }
    if (data.mount !== this.mount) {
      // a new session on the server: it knows nothing of our numbers, so what is not acknowledged gets new ones
      this.mount = data.mount;
      this.n = data.ack;
      this.pending = this.pending.map((op) => ({ ...op, n: ++this.n, mount: this.mount }));
      if (this.pending.length) this.send(this.pending);
    }
    this.n = Math.max(this.n, data.ack);
    this.pending = this.pending.filter((op) => op.n > data.ack);
    this.data = data;
    this.groups = this.pending.reduce(applied, data.groups);
    this.draw();
  }

  do(op) {
    if (this.data.locked) return;
    this.pending = [...this.pending, { ...op, n: ++this.n, mount: this.mount }];
    this.groups = applied(this.groups, op);
    this.draw();
    this.send(this.pending);
  }

  move(subs, to) {
    const name = to.trim();
    const real = subs.filter((sub) => this.superOf(sub) !== name);
    if (!name || !real.length) return;
    this.chosen.clear();
    this.do({ do: "move", subs: real, to: name });
    this.say(`${real.length === 1 ? real[0] : several(real.length, "sub-class", "sub-classes")} moved to ${name}`);
    this.focusCard(real[0]);
  }

  superOf(sub) {
    return (this.groups.find(([, subs]) => subs.includes(sub)) ?? [""])[0];
  }

  // --- the elements ---

  build(parent) {
    this.root = make("div", "board");
    const bar = make("div", "bar");
    this.search = make("input", "field search");
    Object.assign(this.search, { type: "search", placeholder: "Find a sub-class", spellcheck: false });
    this.search.setAttribute("aria-label", "Find a sub-class");
    this.search.addEventListener("input", () => ((this.query = this.search.value.trim().toLowerCase()), this.draw()));
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
    Object.assign(this.freshName, { placeholder: "New super-class", maxLength: 80, spellcheck: false });
    this.freshName.setAttribute("aria-label", "Name of a new super-class");
    row.append(this.freshName, this.button("Add", () => this.addFresh()));
    this.fresh.append(row, this.freshSay);
    this.waiting = []; // dropped here, waiting for a name
    this.freshName.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.addFresh();
      if (event.key === "Escape") ((this.waiting = []), (this.freshName.value = ""), this.draw());
    });
    this.target(this.fresh, (subs) => {
      this.waiting = subs;
      this.draw();
      this.freshName.focus();
    });
  }

  addFresh() {
    const name = this.freshName.value.trim();
    if (!name) return this.freshName.focus();
    const subs = this.waiting;
    this.waiting = [];
    this.freshName.value = "";
    if (subs.length) this.move(subs, name);
    else if (this.groups.some(([title]) => title === name)) this.say(`There is a super-class ${name} already`);
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
      this.button("Clear selection", () => (this.chosen.clear(), this.draw())),
    );
    this.stage.append(this.picked);
  }

  buildDialog() {
    this.dialog = make("dialog");
    this.question = make("h3");
    this.answer = make("input", "field");
    Object.assign(this.answer, { maxLength: 80, spellcheck: false, placeholder: "Type to find, or a new name" });
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
      if (step) (event.preventDefault(), this.drawOptions(this.at + step));
      if (event.key === "Enter") (event.preventDefault(), this.choose(this.at));
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
    const typed = this.answer.value.trim();
    const here = this.asked.length === 1 ? this.superOf(this.asked[0]) : null;
    const found = this.groups.filter(([name]) => name !== here && name.toLowerCase().includes(typed.toLowerCase()));
    this.choices = found.map(([name]) => name);
    const fresh = typed && !this.groups.some(([name]) => name === typed);
    if (fresh) this.choices.push(typed);
    this.at = this.choices.length ? (at + this.choices.length) % this.choices.length : 0;
    this.options.replaceChildren(
      ...this.choices.map((name, i) => {
        const item = make("li");
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", String(i === this.at));
        const isNew = fresh && i === this.choices.length - 1;
        item.append(make("span", "", name), make("span", "meta", isNew ? "new" : several(found[i][1].length, "sub-class", "sub-classes")));
        item.addEventListener("click", () => this.choose(i));
        return item;
      }),
    );
    this.options.children[this.at]?.scrollIntoView({ block: "nearest" });
  }

  choose(i) {
    const name = this.choices[i];
    if (name === undefined) return;
    const subs = this.asked;
    this.dialog.close();
    this.move(subs, name);
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
    panel.title_ = this.button(name, () => this.rename(panel.name), "title");
    panel.title_.setAttribute("aria-label", `${name}: rename this super-class`);
    panel.meta = make("span", "meta");
    panel.gone = this.button("Remove", () => this.do({ do: "remove", name: panel.name }), "remove");
    panel.head = make("div", "head");
    panel.head.append(panel.key, panel.title_, panel.meta, panel.gone);
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
    Object.assign(input, { value: name, maxLength: 80, spellcheck: false });
    input.setAttribute("aria-label", `New name of ${name}`);
    panel.title_.hidden = true;
    panel.title_.after(input);
    input.focus();
    input.select();
    let done = false;
    const end = (save) => {
      if (done) return;
      done = true;
      const to = input.value.trim();
      input.remove();
      panel.title_.hidden = false;
      panel.title_.focus();
      if (!save || !to || to === name) return;
      if (this.groups.some(([title]) => title === to)) this.say(`There is a super-class ${to} already`);
      else (this.do({ do: "rename", name, to }), this.panels.get(to)?.title_.focus());
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
    for (const [name, panel] of this.panels) if (!names.has(name)) (panel.remove(), this.panels.delete(name));
    const wanted = [];
    this.groups.forEach(([name, subs], i) => {
      const panel = this.panel(name);
      const hit = !this.query || name.toLowerCase().includes(this.query);
      const cards = subs.map((sub) => this.card(sub));
      for (const card of cards) {
        card.hidden = !hit && !card.sub.toLowerCase().includes(this.query);
        card.classList.toggle("chosen", this.chosen.has(card.sub));
        card.setAttribute("aria-label", `${card.sub}, ${several((data.classes[card.sub] ?? [0])[0], "image", "images")}, in ${name}${this.chosen.has(card.sub) ? ", selected" : ""}`);
      }
      panel.hidden = Boolean(this.query) && !hit && cards.every((card) => card.hidden);
      panel.key.hidden = i > 8 || data.locked;
      panel.key.textContent = String(i + 1);
      const images = subs.reduce((sum, sub) => sum + (data.classes[sub] ?? [0])[0], 0);
      panel.meta.textContent = subs.length > 1 ? `${subs.length} · ${several(images, "image", "images")}` : "";
      panel.meta.title = `${several(subs.length, "sub-class", "sub-classes")}, ${several(images, "training image", "training images")}`;
      panel.gone.hidden = subs.length > 0 || data.locked;
      panel.title_.disabled = data.locked;
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
    const bad = Boolean(data.problem) && !this.pending.length;
    this.status.classList.toggle("bad", bad);
    this.status.textContent = bad ? data.problem : this.pending.length ? "Saving…" : data.locked ? "" : data.revision ? `Saved · revision ${data.revision}` : "A proposal; your first edit saves it";
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
    this.chosen.has(sub) ? this.chosen.delete(sub) : this.chosen.add(sub);
    this.draw();
  }

  say(text) {
    this.spoken.textContent = text;
  }

  // --- the keyboard ---

  onKey(event) {
    event.stopPropagation(); // Streamlit has shortcuts on single letters
    const typing = event.target.tagName === "INPUT";
    const command = event.ctrlKey || event.metaKey;
    if (command && !typing && event.key.toLowerCase() === "z") return (event.preventDefault(), this.do({ do: event.shiftKey ? "redo" : "undo" }));
    if (command && !typing && event.key.toLowerCase() === "y") return (event.preventDefault(), this.do({ do: "redo" }));
    if (typing || command || event.altKey || this.dialog.open) {
      if (event.target === this.search && ["ArrowDown", "Enter"].includes(event.key)) (event.preventDefault(), this.visible()[0]?.focus());
      return;
    }
    if (event.key === "/") return (event.preventDefault(), this.search.focus());
    if (event.key.toLowerCase() === "n" && !this.data.locked) return (event.preventDefault(), this.freshName.focus());
    const card = event.target;
    if (!card.sub) return;
    const subs = this.chosen.has(card.sub) ? [...this.chosen] : [card.sub];
    const names = this.groups.map(([name]) => name);
    const here = names.indexOf(this.superOf(card.sub));
    const acts = {
      ArrowUp: () => this.go(card, 0, -1),
      ArrowDown: () => this.go(card, 0, 1),
      ArrowLeft: () => (event.shiftKey ? names[here - 1] && this.move(subs, names[here - 1]) : this.go(card, -1, 0)),
      ArrowRight: () => (event.shiftKey ? names[here + 1] && this.move(subs, names[here + 1]) : this.go(card, 1, 0)),
      Home: () => this.visible()[0]?.focus(),
      End: () => this.visible().at(-1)?.focus(),
      Enter: () => this.ask(subs),
      m: () => this.ask(subs),
      M: () => this.ask(subs),
      " ": () => this.toggle(card.sub),
      F2: () => this.rename(names[here]),
      Escape: () => (this.chosen.clear(), this.draw()),
    };
    if (/^[1-9]$/.test(event.key) && names[event.key - 1] !== undefined) acts[event.key] = () => this.move(subs, names[event.key - 1]);
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  }

  /* To the nearest card in a direction, as it looks on screen. */
  go(from, dx, dy) {
    const a = from.getBoundingClientRect();
    let best = null;
    let least = Infinity;
    for (const card of this.visible()) {
      if (card === from) continue;
      const b = card.getBoundingClientRect();
      const along = dx ? dx * (b.left - a.left) : dy * (b.top - a.top);
      const across = dx ? Math.abs(b.top - a.top) : Math.abs(b.left - a.left);
      if (along < 4) continue;
      const far = along + 3 * across;
      if (far < least) [best, least] = [card, far];
    }
    if (best) this.focusCard(best.sub);
  }
}

/* Make the children of `parent` exactly `wanted`, moving only what is out of place. */
function order(parent, wanted) {
  const keep = new Set(wanted);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  wanted.forEach((child, i) => parent.children[i] === child || parent.insertBefore(child, parent.children[i] ?? null));
}
