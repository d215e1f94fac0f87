/* The map of a run's images without the page: a lasso as text, and which point a pointer means. */

const GRID = 1000; // a place is a whole number from 0 to this, both ways
const MOST_CORNERS = 60;

/* A drawn path [{x, y}] in 0..1 as the text of an area, "x,y;x,y;..."; null where it encloses next to nothing. */
export function areaOf(path) {
  const step = Math.max(1, Math.ceil(path.length / MOST_CORNERS));
  const corners = path
    .filter((_, k) => k % step === 0)
    .map(({ x, y }) => [x, y].map((part) => Math.round(Math.min(1, Math.max(0, part)) * GRID)));
  let twice = 0; // the area, by the shoelace formula
  for (let k = 0; k < corners.length; k++) {
    const [x0, y0] = corners[k];
    const [x1, y1] = corners[(k + 1) % corners.length];
    twice += x0 * y1 - x1 * y0;
  }
  return corners.length >= 3 && Math.abs(twice) > 50 ? corners.map((corner) => corner.join(",")).join(";") : null;
}

/* The corners of such a text, [[x, y], ...] in 0..1. */
export function cornersOf(area) {
  return area ? area.split(";").map((corner) => corner.split(",").map((part) => Number(part) / GRID)) : [];
}

/* The index of the point nearest to (x, y), at most `reach` away; -1 where there is none. xs, ys: 0..GRID; x, y, reach: too. */
export function nearest(xs, ys, x, y, reach) {
  let best = -1;
  let least = reach * reach;
  for (let k = 0; k < xs.length; k++) {
    const apart = (xs[k] - x) ** 2 + (ys[k] - y) ** 2;
    if (apart <= least) [best, least] = [k, apart];
  }
  return best;
}
