/* What the board shows and what a key means, without the page. It knows no rule of editing: those are in
   gmaug_core/workspace, and whatever the server answers replaces what was shown meanwhile.
   groups: [[title, [sub-class, ...]], ...] */

/* How the board looks until the server has answered: cards lie where they were put, a panel bears what was typed. */
export function shown(groups, op) {
  if (op.do === "move") return without(groups, op.subs, [[op.to, op.subs]]);
  if (op.do === "alone") {
    const moved = op.subs.filter((sub) => (groups.find(([, subs]) => subs.includes(sub)) ?? ["", []])[1].length > 1);
    return without(groups, moved, moved.map((sub) => [sub, [sub]]));
  }
  if (op.do === "add") return onePanelATitle([...groups, [op.name, []]]);
  if (op.do === "rename") return onePanelATitle(groups.map(([title, subs]) => [title === op.name ? op.to : title, subs]));
  if (op.do === "remove") return groups.filter(([title]) => title !== op.name);
  if (op.do === "place") {
    const rest = groups.filter(([title]) => title !== op.name);
    const at = rest.findIndex(([title]) => title === op.before);
    return rest.toSpliced(at < 0 ? rest.length : at, 0, ...groups.filter(([title]) => title === op.name));
  }
  return groups; // undo, redo and sort: only the server knows
}

/* The groups with `subs` taken out and `more` put in; panels that this empties go. */
function without(groups, subs, more) {
  const left = groups.map(([title, all]) => [title, all.filter((sub) => !subs.includes(sub)), all.length]);
  const targets = new Set(more.map(([title]) => title));
  const kept = left.filter(([title, rest, before]) => rest.length || !before || targets.has(title));
  return onePanelATitle([...kept.map(([title, rest]) => [title, rest]), ...more]);
}

function onePanelATitle(groups) {
  const panels = new Map();
  for (const [title, subs] of groups) panels.set(title, [...(panels.get(title) ?? []), ...subs]);
  return [...panels];
}

const alone = ([title, subs]) => subs.length === 1 && subs[0] === title;

/* A board in two parts: super-classes that somebody made, and the tray of sub-classes that still stand alone. */
export function parts(groups) {
  return { own: groups.filter((group) => !alone(group)), tray: groups.filter(alone).map(([title]) => title) };
}

export function titleOf(groups, sub) {
  return (groups.find(([, subs]) => subs.includes(sub)) ?? [""])[0];
}

/* Which cards of a panel a search leaves. query: lower case, empty for everything. */
export function found(title, subs, query) {
  const all = title.toLowerCase().includes(query);
  return subs.map((sub) => all || sub.toLowerCase().includes(query));
}

/* How well a name fits what was typed: 0 the name itself, 1 its beginning, 2 the beginning of a word, 3 anywhere, 4 not. */
export function fit(name, query) {
  const text = name.toLowerCase();
  if (text === query) return 0;
  if (text.startsWith(query)) return 1;
  const at = text.indexOf(query);
  if (at < 0) return 4;
  return text.split(/[^\p{L}\p{N}]+/u).some((word) => word.startsWith(query)) ? 2 : 3;
}

/* The position of the name that a search goes to: the exact one before one that only begins so or has it. */
export function best(names, query) {
  const ranks = names.map((name) => fit(name, query));
  return ranks.indexOf(Math.min(...ranks));
}

/* Where cards can be moved to, the most likely first: own super-classes that have what was typed, what was typed as a new
   one, then sub-classes that stand alone. recent: titles that were moved to, the last one first. */
export function destinations(groups, typed, here, recent = []) {
  const query = typed.trim().toLowerCase();
  const { own, tray } = parts(groups);
  const since = (title) => (recent.includes(title) ? recent.indexOf(title) : recent.length);
  const ranked = (rows) =>
    rows
      .filter(({ title }) => title !== here && fit(title, query) < 4)
      .toSorted((a, b) => fit(a.title, query) - fit(b.title, query) || since(a.title) - since(b.title));
  const known = ranked(own.map(([title, subs]) => ({ title, size: subs.length, fresh: false })));
  const single = query ? ranked(tray.map((title) => ({ title, size: 1, fresh: false }))) : [];
  const exact = single.filter(({ title }) => title.toLowerCase() === query);
  const isNew = query && !groups.some(([title]) => title === typed.trim());
  const fresh = isNew ? [{ title: typed, size: 0, fresh: true }] : [];
  return [...exact, ...known, ...fresh, ...single.filter((row) => !exact.includes(row))];
}

/* Names from one to another in the order on screen, both included. */
export function between(names, from, to) {
  const [a, b] = [names.indexOf(from), names.indexOf(to)].toSorted((x, y) => x - y);
  return a < 0 ? [to] : names.slice(a, b + 1);
}

/* A title like another one that is not in use: "apples 2". */
export function another(titles, title) {
  for (let k = 2; ; k++) if (!titles.includes(`${title} ${k}`)) return `${title} ${k}`;
}

/* The nearest rectangle in a direction, as it looks on screen: its index, -1 where there is none. */
export function nearest(from, others, dx, dy) {
  let closest = -1;
  let least = Infinity;
  others.forEach((other, i) => {
    const along = dx ? dx * (other.left - from.left) : dy * (other.top - from.top);
    const across = dx ? Math.abs(other.top - from.top) : Math.abs(other.left - from.left);
    const far = along + 3 * across;
    if (along >= 4 && far < least) [closest, least] = [i, far];
  });
  return closest;
}

const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
const ON_A_CARD = { Home: "first", End: "last", Enter: "ask", m: "ask", " ": "choose", F2: "rename", 0: "alone", ".": "again", s: "split", g: "merge" };
/* Acts that change a grouping. */
export const EDITS = new Set(["ask", "choose", "rename", "alone", "again", "split", "merge", "move", "place", "undo", "redo", "all", "extend"]);
const LOOKING = { v: "view", a: "all" }; // on a card, whether it can be edited or not

/* What the keys do, for the sheet of keys. */
export const KEYS = [
  ["← → ↑ ↓", "go from card to card"],
  ["1 – 9", "move to that super-class; the next card is ready"],
  ["M or Enter", "move to one by name, or to a new one; Shift Enter: always a new one"],
  [".", "move to where the last ones went"],
  ["0", "take out: on its own again"],
  ["Space", "select; Shift ↑ ↓ selects a range, A all of a super-class"],
  ["V", "look at more images, large"],
  ["/", "find; Enter goes to the name"],
  ["N", "new super-class"],
  ["F2", "rename it"],
  ["S", "split off the selected ones"],
  ["G", "merge this super-class into another"],
  ["[ and ]", "move this super-class forward or back"],
  ["Shift ← →", "move to the neighbour"],
  ["Ctrl Z, Ctrl Y", "undo, redo: also what was done yesterday"],
  ["Esc", "clear selection and search"],
];

/* What a key means: {act, ...}, or null for nothing of ours. titles: of the own panels in order; here: index of the card's
   own, -1 in the tray; place: "card", "search", "field" (another text field) or "elsewhere"; open: a dialog is open; locked:
   nothing is edited. */
export function keyed({ key, shift, command, alt }, { place, open, locked, titles, here }) {
  const typing = place === "search" || place === "field";
  const letter = key.toLowerCase();
  if (command && !typing && letter === "z") return { act: shift ? "redo" : "undo" };
  if (command && !typing && letter === "y") return { act: "redo" };
  if (command && place === "card" && letter === "a") return { act: "all" };
  if (place === "search" && key === "Escape") return { act: "clear" };
  if (typing || command || alt || open) return place === "search" && ["ArrowDown", "Enter"].includes(key) ? { act: "first" } : null;
  if (key === "?") return { act: "help" };
  if (key === "/") return { act: "find" };
  if (letter === "n" && !locked) return { act: "new" };
  if (place !== "card") return null;
  if (key === "Escape") return { act: "clear" };
  if (LOOKING[letter]) return { act: LOOKING[letter] };
  if (ARROWS[key]) {
    const [dx, dy] = ARROWS[key];
    if (shift && dx) return titles[here + dx] === undefined ? { act: "nothing" } : { act: "move", to: titles[here + dx] };
    return { act: shift ? "extend" : "go", dx, dy };
  }
  if (key === "[" || key === "]") {
    const to = here + (key === "[" ? -1 : 2);
    if (here < 0 || to < 0 || to > titles.length) return { act: "nothing" };
    return { act: "place", name: titles[here], before: titles[to] ?? "" };
  }
  if (/^[1-9]$/.test(key) && titles[key - 1] !== undefined) return { act: "move", to: titles[key - 1] };
  const act = ON_A_CARD[letter] ?? ON_A_CARD[key];
  return act ? { act } : null;
}
