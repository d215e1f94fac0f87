/* What the gallery shows and what a key means, without the page. */

/* The decisions that are shown: those of the server, and over them what it has not acknowledged. decisions: {sample: word};
   an operation has edits: [[sample, word or null], ...] */
export function decided(decisions, pending) {
  const all = { ...decisions };
  for (const op of pending) {
    for (const [sample, decision] of op.edits) {
      if (decision === null) delete all[sample];
      else all[sample] = decision;
    }
  }
  return all;
}

const DECISIONS = { k: "keep", x: "reject", f: null, Backspace: null, Delete: null };

/* What a key means: {to: position, extend: whether the selection grows to it}, {decision: word or null}, {undo: true},
   {all: true}, {none: true} (select all, select nothing), or null for nothing of ours.
   at: the position now, of `total`; columns: cells a row; page: cells a screen; command: Ctrl, or the Mac's own key. */
export function keyed({ key, modified, command, shift = false }, { at, total, columns, page }) {
  const name = key.length === 1 ? key.toLowerCase() : key;
  if ((!modified && name === "u") || (command && name === "z")) return { undo: true };
  if (command && name === "a") return { all: true };
  if (modified) return null;
  if (name === "Escape") return { none: true };
  const steps = {
    ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns,
    PageUp: -page, PageDown: page, Home: -Infinity, End: Infinity,
  };
  if (Object.hasOwn(steps, name)) return { to: Math.max(0, Math.min(total - 1, at + steps[name])), extend: shift };
  return Object.hasOwn(DECISIONS, name) ? { decision: DECISIONS[name] } : null;
}

/* The positions from one to another, both among them, in order. */
export function range(from, to) {
  const first = Math.min(from, to);
  return Array.from({ length: Math.abs(to - from) + 1 }, (_, k) => first + k);
}

/* What undoes the last of `done`, each a list of [sample, word before]; null at the beginning. Takes it off. */
export function undone(done) {
  return done.pop() ?? null;
}

/* The grid at a width in px: cells of at least `cell` px and a foot below each, `gap` px apart. */
export function grid(width, { cell, foot, gap }) {
  const columns = Math.max(1, Math.floor((width - gap) / (cell + gap)));
  const side = (width - gap) / columns - gap;
  return { columns, side, rowHeight: side + foot + gap };
}

/* The positions worth having on the page: those on screen, and some rows before and after. last is not among them. */
export function onScreen({ columns, rowHeight }, total, top, height, spare) {
  const first = Math.max(0, Math.floor(top / rowHeight) - spare) * columns;
  const last = Math.min(total, (Math.ceil((top + height) / rowHeight) + spare) * columns);
  return { first, last };
}

/* Where the view must be scrolled to, to show a position whole. */
export function scrolled({ columns, rowHeight }, position, top, height) {
  const above = Math.floor(position / columns) * rowHeight;
  if (above < top) return above;
  return above + rowHeight > top + height ? above + rowHeight - height : top;
}

/* Numbers in parts of at most `most`, each in ascending order: what is asked for together. */
export function parts(numbers, most) {
  const ordered = numbers.toSorted((a, b) => a - b);
  return Array.from({ length: Math.ceil(ordered.length / most) }, (_, k) => ordered.slice(k * most, (k + 1) * most));
}
