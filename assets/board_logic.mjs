/* What the board shows and what a key means, without the page. It knows no rule of editing: those are in
   gmaug_core/workspace, and whatever the server answers replaces what was shown meanwhile.
   groups: [[title, [sub-class, ...]], ...] */

/* How the board looks until the server has answered: cards lie where they were put, a panel bears what was typed. */
export function shown(groups, op) {
  if (op.do === "move") {
    const rest = groups.map(([title, subs]) => [title, subs.filter((sub) => !op.subs.includes(sub))]);
    return onePanelATitle([...rest, [op.to, op.subs]]);
  }
  if (op.do === "add") return onePanelATitle([...groups, [op.name, []]]);
  if (op.do === "rename") return onePanelATitle(groups.map(([title, subs]) => [title === op.name ? op.to : title, subs]));
  if (op.do === "remove") return groups.filter(([title]) => title !== op.name);
  return groups; // undo and redo: only the server knows
}

function onePanelATitle(groups) {
  const panels = new Map();
  for (const [title, subs] of groups) panels.set(title, [...(panels.get(title) ?? []), ...subs]);
  return [...panels];
}

export function titleOf(groups, sub) {
  return (groups.find(([, subs]) => subs.includes(sub)) ?? [""])[0];
}

/* What a search leaves of a panel: the panel itself, and each of its cards. query: lower case, empty for everything. */
export function found(title, subs, query) {
  const all = title.toLowerCase().includes(query);
  const cards = subs.map((sub) => all || sub.toLowerCase().includes(query));
  return { panel: !query || all || cards.includes(true), cards };
}

/* Where cards can be moved to: panels whose title has what was typed, then what was typed as a new one. */
export function destinations(groups, typed, here) {
  const query = typed.trim().toLowerCase();
  const known = groups.filter(([title]) => title !== here && title.toLowerCase().includes(query));
  const choices = known.map(([title, subs]) => ({ title, size: subs.length, fresh: false }));
  const isNew = query && !groups.some(([title]) => title === typed.trim());
  return isNew ? [...choices, { title: typed, size: 0, fresh: true }] : choices;
}

/* The nearest rectangle in a direction, as it looks on screen: its index, -1 where there is none. */
export function nearest(from, others, dx, dy) {
  let best = -1;
  let least = Infinity;
  others.forEach((other, i) => {
    const along = dx ? dx * (other.left - from.left) : dy * (other.top - from.top);
    const across = dx ? Math.abs(other.top - from.top) : Math.abs(other.left - from.left);
    const far = along + 3 * across;
    if (along >= 4 && far < least) [best, least] = [i, far];
  });
  return best;
}

const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
const ON_A_CARD = { Home: "first", End: "last", Enter: "ask", m: "ask", M: "ask", " ": "choose", F2: "rename", Escape: "clear" };

/* What a key means: {act, ...}, or null for nothing of ours. titles: of the panels in order; here: index of the card's own;
   place: "card", "search", "field" (another text field) or "elsewhere"; open: the dialog is open; locked: nothing is edited. */
export function keyed({ key, shift, command, alt }, { place, open, locked, titles, here }) {
  const typing = place === "search" || place === "field";
  const letter = key.toLowerCase();
  if (command && !typing && letter === "z") return { act: shift ? "redo" : "undo" };
  if (command && !typing && letter === "y") return { act: "redo" };
  if (typing || command || alt || open) return place === "search" && ["ArrowDown", "Enter"].includes(key) ? { act: "first" } : null;
  if (key === "/") return { act: "find" };
  if (letter === "n" && !locked) return { act: "new" };
  if (place !== "card") return null;
  if (ARROWS[key]) {
    const [dx, dy] = ARROWS[key];
    if (shift && dx) return titles[here + dx] === undefined ? { act: "nothing" } : { act: "move", to: titles[here + dx] };
    return { act: "go", dx, dy };
  }
  if (/^[1-9]$/.test(key) && titles[key - 1] !== undefined) return { act: "move", to: titles[key - 1] };
  return ON_A_CARD[key] ? { act: ON_A_CARD[key] } : null;
}
