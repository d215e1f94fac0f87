import assert from "node:assert/strict";
import { test } from "node:test";
import { KEYS, another, best, between, destinations, found, keyed, nearest, parts, shown, titleOf } from "../../assets/board_logic.mjs";

const GROUPS = [
  ["round", ["0", "6"]],
  ["straight", ["1"]],
  ["empty", []],
];

test("cards lie where they were put until the server answers", () => {
  assert.deepEqual(shown(GROUPS, { do: "move", subs: ["6", "0"], to: "straight" }), [
    ["straight", ["1", "6", "0"]],
    ["empty", []],
  ]);
  assert.deepEqual(shown(GROUPS, { do: "move", subs: ["1"], to: "new" }).at(-1), ["new", ["1"]]);
  assert.deepEqual(shown(GROUPS, { do: "alone", subs: ["6", "1"] }), [["round", ["0"]], ["straight", ["1"]], ["empty", []], ["6", ["6"]]]);
  assert.deepEqual(GROUPS[0], ["round", ["0", "6"]]); // what the server gave is left as it is
});

test("a panel bears what was typed, and no title is shown twice", () => {
  assert.deepEqual(shown(GROUPS, { do: "add", name: "fresh" }).at(-1), ["fresh", []]);
  assert.deepEqual(shown(GROUPS, { do: "add", name: "round" }), GROUPS);
  assert.deepEqual(shown(GROUPS, { do: "rename", name: "straight", to: "line" })[1], ["line", ["1"]]);
  assert.deepEqual(
    shown(GROUPS, { do: "rename", name: "straight", to: "round" }).map(([title]) => title),
    ["round", "empty"],
  );
  assert.deepEqual(shown(GROUPS, { do: "remove", name: "empty" }).length, 2);
  const order = (name, before) => shown(GROUPS, { do: "place", name, before }).map(([title]) => title);
  assert.deepEqual(order("empty", "round"), ["empty", "round", "straight"]);
  assert.deepEqual(order("round", ""), ["straight", "empty", "round"]);
  for (const unknown of ["undo", "redo", "sort"]) assert.equal(shown(GROUPS, { do: unknown }), GROUPS);
});

test("no sub-class is lost or doubled by any row of operations", () => {
  let state = 7;
  const below = (n) => (state = (state * 16807) % 2147483647) % n;
  const titles = ["round", "straight", "empty", "a", "b"];
  let groups = GROUPS;
  for (let k = 0; k < 2000; k++) {
    const [from, to] = [titles[below(5)], titles[below(5)]];
    const emptyOne = groups.find(([, subs]) => !subs.length)?.[0];
    const all = [
      { do: "move", subs: ["0", "1", "6"].slice(below(3)), to },
      { do: "add", name: to },
      { do: "rename", name: from, to },
      { do: "remove", name: emptyOne },
      { do: "alone", subs: ["0", "1", "6"].slice(below(3)) },
      { do: "place", name: from, before: to },
    ];
    groups = shown(groups, all[below(6)]);
    assert.deepEqual(groups.flatMap(([, subs]) => subs).toSorted(), ["0", "1", "6"]);
    assert.equal(new Set(groups.map(([title]) => title)).size, groups.length);
  }
});

test("where a sub-class is", () => {
  assert.equal(titleOf(GROUPS, "1"), "straight");
  assert.equal(titleOf(GROUPS, "none"), "");
});

test("super-classes that somebody made are apart from the tray of those that stand alone", () => {
  const groups = [["a", ["a"]], ["mine", ["b", "c"]], ["one", ["d"]], ["new", []], ["e", ["e"]]];
  assert.deepEqual(parts(groups).own.map(([title]) => title), ["mine", "one", "new"]);
  assert.deepEqual(parts(groups).tray, ["a", "e"]);
});

test("a search finds cards by their name and by their panel's", () => {
  assert.deepEqual(found("Round", ["0", "6"], ""), [true, true]);
  assert.deepEqual(found("Round", ["0", "6"], "rou"), [true, true]);
  assert.deepEqual(found("Round", ["0", "6"], "6"), [false, true]);
  assert.deepEqual(found("Round", ["0", "6"], "x"), [false, false]);
});

test("a search goes to the exact name before one that only has it", () => {
  const names = ["God-Morgon-Orange-Juice", "Oranges", "Orange", "Morange"];
  assert.equal(best(names, "orange"), 2);
  assert.equal(best(names, "oranges"), 1);
  assert.equal(best(names.slice(0, 1), "juice"), 0);
  assert.equal(best(["Morange", "Red-Orange"], "orange"), 1); // a whole word before a part of one
});

test("a range, and a title that is free", () => {
  assert.deepEqual(between(["a", "b", "c", "d"], "c", "a"), ["a", "b", "c"]);
  assert.deepEqual(between(["a", "b"], "gone", "b"), ["b"]);
  assert.equal(another(["x", "x 2"], "x"), "x 3");
});

const titled = (rows) => rows.map(({ title }) => title);

test("the dialog offers what fits, then what was typed as a new one", () => {
  const titles = (typed, here) => destinations(GROUPS, typed, here).map(({ title, fresh }) => [title, fresh]);
  assert.deepEqual(titles("", "round"), [["straight", false], ["empty", false]]);
  assert.deepEqual(titles("R", null), [["round", false], ["straight", false], ["R", true]]);
  assert.deepEqual(titles(" straight ", null), [["straight", false]]);
  assert.deepEqual(titles("round", "round"), []);
  assert.equal(destinations(GROUPS, "round", null)[0].size, 2);
  assert.deepEqual(titled(destinations(GROUPS, "", null, ["empty", "straight"])), ["empty", "straight", "round"]);
  const many = [["Apple-Juice", ["x"]], ["Juices", ["y"]], ["Juice", ["Juice"]]];
  assert.deepEqual(titled(destinations(many, "", null)), ["Apple-Juice", "Juices"]); // the tray only when its name is typed
  assert.deepEqual(titled(destinations(many, "juice", null)), ["Juice", "Juices", "Apple-Juice", "juice"]);
});

const card = (left, top) => ({ left, top });

test("the arrows go to the nearest card as it looks on screen", () => {
  const others = [card(100, 0), card(300, 0), card(0, 50), card(90, 60)];
  const here = card(0, 0);
  assert.equal(nearest(here, others, 1, 0), 0);
  assert.equal(nearest(here, others, 0, 1), 2);
  assert.equal(nearest(here, others, -1, 0), -1);
  assert.equal(nearest(here, others, 0, -1), -1);
  assert.equal(nearest(here, [card(3, 0)], 1, 0), -1); // that is the same column
});

const NOW = { place: "card", open: false, locked: false, titles: ["round", "straight", "empty"], here: 1 };
const press = (key, now = {}, mods = {}) => keyed({ key, shift: false, command: false, alt: false, ...mods }, { ...NOW, ...now });

test("keys on a card", () => {
  assert.deepEqual(press("3"), { act: "move", to: "empty" });
  assert.equal(press("4"), null);
  assert.deepEqual(press("ArrowLeft", {}, { shift: true }), { act: "move", to: "round" });
  assert.deepEqual(press("ArrowRight", {}, { shift: true }), { act: "move", to: "empty" });
  assert.deepEqual(press("ArrowRight", { here: 2 }, { shift: true }), { act: "nothing" });
  assert.deepEqual(press("ArrowUp", {}, { shift: true }), { act: "extend", dx: 0, dy: -1 });
  assert.deepEqual(press("ArrowRight", { here: -1 }, { shift: true }), { act: "move", to: "round" }); // from the tray
  assert.deepEqual(press("["), { act: "place", name: "straight", before: "round" });
  assert.deepEqual(press("]"), { act: "place", name: "straight", before: "" });
  assert.deepEqual(press("[", { here: 0 }), { act: "nothing" });
  assert.deepEqual(press("a", {}, { command: true }), { act: "all" });
  assert.deepEqual(press("ArrowRight"), { act: "go", dx: 1, dy: 0 });
  const plain = { Enter: "ask", m: "ask", M: "ask", " ": "choose", F2: "rename", Escape: "clear", Home: "first", End: "last", 0: "alone", ".": "again", s: "split", g: "merge", v: "view", a: "all", "?": "help" };
  for (const [key, act] of Object.entries(plain)) assert.deepEqual(press(key), { act });
  assert.equal(press("x"), null);
});

test("undo and redo work from everywhere but a text field", () => {
  const command = { command: true };
  for (const place of ["card", "elsewhere"]) {
    assert.deepEqual(press("z", { place }, command), { act: "undo" });
    assert.deepEqual(press("Z", { place }, { ...command, shift: true }), { act: "redo" });
    assert.deepEqual(press("y", { place }, command), { act: "redo" });
  }
  for (const place of ["field", "search"]) assert.equal(press("z", { place }, command), null);
  assert.equal(press("m", {}, command), null);
  assert.deepEqual(press("?", { place: "elsewhere" }), { act: "help" });
  assert.ok(KEYS.length > 12);
});

test("typing is left alone, and the search leads to the first card", () => {
  for (const key of ["m", "1", "/", "n", " ", "ArrowLeft"]) assert.equal(press(key, { place: "field" }), null);
  for (const key of ["ArrowDown", "Enter"]) {
    assert.deepEqual(press(key, { place: "search" }), { act: "first" });
    assert.equal(press(key, { place: "field" }), null);
  }
});

test("while the dialog is open, keys are the dialog's; a locked board makes no new super-class", () => {
  for (const key of ["m", "1", "/", "n"]) assert.equal(press(key, { open: true }), null);
  assert.deepEqual(press("n", { place: "elsewhere" }), { act: "new" });
  assert.equal(press("n", { place: "elsewhere", locked: true }), null);
  assert.deepEqual(press("/", { place: "elsewhere", locked: true }), { act: "find" });
  assert.equal(press("m", { place: "elsewhere" }), null);
});
