/* The board's dialogs: where to move cards, a class in large pictures, what a super-class can be told, the keys.
   Names are only ever written with textContent. */

import { KEYS, destinations } from "./board_logic.mjs";
import { make } from "./elements.mjs";

export function button(text, act, className = "button") {
  const made = make("button", className, text);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

export const several = (n, one, many) => `${n.toLocaleString("en-US")} ${n === 1 ? one : many}`;

/* A dialog that a click beside it or its button closes. closed: called after that. */
function box(className, label, closed) {
  const dialog = make("dialog", className);
  dialog.setAttribute("aria-label", label);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", closed);
  return dialog;
}

/* Asks for a super-class to move cards to. found(typed): the destinations; chosen(title); closed(). */
export class MoveDialog {
  constructor(found, chosen, closed) {
    Object.assign(this, { found, chosen, choices: [], at: 0 });
    this.element = box("", "Move to a super-class", closed);
    this.question = make("h2");
    this.answer = make("input", "field");
    Object.assign(this.answer, { spellcheck: false, placeholder: "Type to find, or a new name" });
    for (const [key, value] of [["role", "combobox"], ["aria-label", "Super-class to move to"], ["aria-expanded", "true"], ["aria-controls", "options"]])
      this.answer.setAttribute(key, value);
    this.options = make("ul", "options");
    this.options.id = "options";
    this.options.setAttribute("role", "listbox");
    this.options.setAttribute("aria-label", "Super-classes");
    this.element.append(this.question, this.answer, this.options);
    this.answer.addEventListener("input", () => this.draw(0));
    this.answer.addEventListener("keydown", (event) => this.onKey(event));
  }

  open(question, typed = "") {
    this.question.textContent = question;
    this.answer.value = typed;
    this.draw(0);
    this.element.showModal();
    this.answer.focus();
    this.answer.select();
  }

  onKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step && event.key !== "Enter") return;
    event.preventDefault();
    if (step) this.draw(this.at + step);
    else if (event.shiftKey && this.answer.value.trim()) this.end(this.answer.value);
    else if (this.choices[this.at]) this.end(this.choices[this.at].title);
  }

  end(title) {
    this.element.close();
    this.chosen(title);
  }

  draw(at) {
    this.choices = this.found(this.answer.value);
    this.at = this.choices.length ? (at + this.choices.length) % this.choices.length : 0;
    this.options.replaceChildren(
      ...this.choices.map(({ title, size, fresh }, i) => {
        const item = make("li");
        item.id = `option-${i}`;
        item.setAttribute("role", "option");
        item.setAttribute("aria-selected", String(i === this.at));
        item.append(make("span", "", title), make("span", "meta", fresh ? "new" : several(size, "sub-class", "sub-classes")));
        item.addEventListener("click", () => this.end(title));
        return item;
      }),
    );
    if (this.choices.length) this.answer.setAttribute("aria-activedescendant", `option-${this.at}`);
    else this.answer.removeAttribute("aria-activedescendant");
    this.options.children[this.at]?.scrollIntoView({ block: "nearest" });
  }
}

/* Where cards of this board can go. */
export const movable = (board) => (typed) => destinations(board.groups, typed, board.askedHere, board.recent);

/* One sub-class in large pictures, more of them than a card has. */
export class PictureDialog {
  constructor(closed) {
    this.element = box("pictures", "Images of a sub-class", closed);
    this.title = make("h2");
    this.sheet = make("div", "sheet");
    this.element.append(this.title, this.sheet, button("Close", () => this.element.close()));
  }

  /* address: of the list of images; pictures: what an image's number is appended to. */
  async open(name, count, address, pictures) {
    this.title.textContent = `${name}: ${several(count, "image", "images")}`;
    this.sheet.replaceChildren();
    this.element.showModal();
    const answer = await fetch(address);
    if (!answer.ok || !this.title.textContent.startsWith(`${name}: `)) return;
    const rows = await answer.json();
    this.sheet.replaceChildren(
      ...rows.map((row, k) => {
        const image = make("img");
        Object.assign(image, { src: `${pictures}${row}?size=160`, alt: `${name}, image ${k + 1} of ${rows.length}`, loading: "lazy" });
        image.addEventListener("load", () => image.classList.toggle("tiny", image.naturalWidth < 96));
        return image;
      }),
    );
  }
}

/* What can be done with a whole super-class. acts: [[label, key, act], ...]. */
export class PanelDialog {
  constructor(closed) {
    this.element = box("menu", "This super-class", closed);
    this.title = make("h2");
    this.list = make("div", "acts");
    this.element.append(this.title, this.list);
  }

  open(title, acts) {
    this.title.textContent = title;
    this.list.replaceChildren(
      ...acts.map(([label, key, act]) => {
        const made = button(label, () => {
          this.element.close();
          act();
        });
        if (key) made.append(make("kbd", "", key));
        return made;
      }),
    );
    this.element.showModal();
  }
}

/* The keys, on one sheet. */
export class KeyDialog {
  constructor(closed) {
    this.element = box("keys", "Keys of the board", closed);
    const table = make("dl");
    for (const [keys, what] of KEYS) table.append(make("dt", "", keys), make("dd", "", what));
    this.element.append(make("h2", "", "Keys of the board"), table, button("Close", () => this.element.close()));
  }

  open() {
    this.element.showModal();
  }
}
