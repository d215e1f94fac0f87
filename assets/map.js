/* The map of a run's images: real ones, accepted and rejected samples as points on a canvas; a lasso says which samples the
   gallery shows. Names are only ever written with textContent. */

import { make } from "./elements.mjs";
import { areaOf, cornersOf, nearest } from "./map_logic.mjs";

const HINT = "Draw around points to see them in the grid";
const KEEP = "__gmaugMap";
const EDGE = 12; // px around the points
const SIZE = 2.6; // px, half a mark
const ASK_MS = 1500; // between two looks at a map that is being made
const PATIENCE = 20; // looks at one that nobody has begun to make
const REACH = 12; // px between a pointer and the point that it means

export default function (component) {
  const { parentElement, data, setStateValue } = component;
  const map = (parentElement[KEEP] ??= new SampleMap(parentElement));
  map.tell = setStateValue;
  map.receive(data);
  return () => {
    // nothing outside our own element to undo
  };
}

class SampleMap {
  constructor(parent) {
    this.points = { x: [], y: [], kind: [], label: [], number: [], kinds: [], classes: [] };
    this.path = [];
    this.root = make("div", "map");
    this.canvas = make("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", "Map of real images, accepted and rejected samples. The filters above reach every sample without it.");
    this.legend = make("div", "legend");
    this.said = make("span", "said", HINT);
    this.clear = make("button", "", "Show all");
    this.clear.type = "button";
    this.clear.addEventListener("click", () => this.choose(""));
    const bar = make("div", "bar");
    bar.append(this.legend, this.said, this.clear);
    this.root.append(this.canvas, bar);
    parent.append(this.root);
    this.canvas.addEventListener("pointerdown", (event) => this.begin(event));
    this.canvas.addEventListener("pointermove", (event) => this.move(event));
    this.canvas.addEventListener("pointerup", () => this.end());
    this.canvas.addEventListener("pointercancel", () => this.end());
    new ResizeObserver(() => this.draw()).observe(this.canvas);
  }

  receive(data) {
    this.data = data;
    this.area = data.area;
    this.clear.disabled = !data.area;
    this.legend.replaceChildren(
      ...["real", "accepted", "rejected"].map((kind) => {
        const entry = make("span", "entry", kind === "real" ? "○ real" : kind === "accepted" ? "■ accepted" : "✕ rejected");
        entry.style.setProperty("--tone", data.colours[kind]);
        return entry;
      }),
    );
    if (data.points !== this.address) this.load(data.points);
    else this.draw();
  }

  async load(address) {
    this.address = address;
    let points;
    for (let waited = 0; ; ) {
      try {
        const answer = await fetch(address, { credentials: "same-origin" });
        if (!answer.ok) throw new Error(String(answer.status));
        points = await answer.json();
      } catch {
        if (this.address === address) this.address = null; // the next rerun tries again
        this.said.textContent = "The map could not be loaded. Reload the page.";
        return;
      }
      if (this.address !== address || !this.root.isConnected) return;
      waited += points.state === "waiting" ? 1 : 0;
      if (!points.state || points.state === "failed" || waited > PATIENCE) break;
      this.making = true;
      this.said.textContent = "The map is being made…";
      await new Promise((resolve) => setTimeout(resolve, ASK_MS));
    }
    if (this.making || points.state) this.tell("made", Date.now()); // Python has a map to filter with now, or an error to tell
    this.making = false;
    if (points.state) return;
    this.points = points;
    this.said.textContent = HINT;
    this.draw();
  }

  // --- the lasso ---

  at(event) {
    const box = this.canvas.getBoundingClientRect();
    return {
      x: (event.clientX - box.left - EDGE) / (box.width - 2 * EDGE),
      y: (event.clientY - box.top - EDGE) / (box.height - 2 * EDGE),
    };
  }

  begin(event) {
    this.canvas.setPointerCapture(event.pointerId);
    this.drawing = true;
    this.path = [this.at(event)];
  }

  move(event) {
    if (this.drawing) {
      this.path.push(this.at(event));
      this.draw();
      return;
    }
    const { x, y } = this.at(event);
    const { points } = this;
    const reach = (REACH / Math.max(1, this.canvas.clientWidth)) * 1000;
    const k = nearest(points.x, points.y, x * 1000, y * 1000, reach);
    const kind = points.kinds[points.kind[k]];
    this.said.textContent = k < 0 ? HINT : `${kind === "real" ? "real image" : `sample ${points.number[k]}, ${kind}`}, ${points.classes[points.label[k]]}`;
  }

  end() {
    if (!this.drawing) return;
    this.drawing = false;
    const area = areaOf(this.path);
    this.path = [];
    if (area) this.choose(area);
    else this.draw();
  }

  choose(area) {
    this.area = area;
    this.clear.disabled = !area;
    this.tell("area", area);
    this.draw();
  }

  // --- the picture ---

  draw() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!this.data || width < 3 * EDGE) return;
    const dense = window.devicePixelRatio || 1;
    this.canvas.width = width * dense;
    this.canvas.height = height * dense;
    const pen = this.canvas.getContext("2d");
    pen.scale(dense, dense);
    const place = (x, y) => [EDGE + x * (width - 2 * EDGE), EDGE + y * (height - 2 * EDGE)];
    const { points, data } = this;
    const only = data.only === "" ? -1 : points.classes.indexOf(data.only);
    for (let k = 0; k < points.x.length; k++) {
      const kind = points.kinds[points.kind[k]];
      const [x, y] = place(points.x[k] / 1000, points.y[k] / 1000);
      pen.globalAlpha = only >= 0 && points.label[k] !== only ? 0.1 : 0.8;
      pen.strokeStyle = pen.fillStyle = data.colours[kind];
      mark(pen, kind, x, y);
    }
    pen.globalAlpha = 1;
    const outline = this.path.length ? this.path.map(({ x, y }) => [x, y]) : cornersOf(this.area);
    if (!outline.length) return;
    pen.beginPath();
    for (const [x, y] of outline) pen.lineTo(...place(x, y));
    pen.closePath();
    pen.lineWidth = 2;
    pen.setLineDash([5, 3]);
    pen.strokeStyle = getComputedStyle(this.canvas).color;
    pen.stroke();
  }
}

/* Three kinds that differ in form too, for whoever sees few colours. */
function mark(pen, kind, x, y) {
  pen.beginPath();
  if (kind === "real") {
    pen.arc(x, y, SIZE, 0, 2 * Math.PI);
    pen.stroke();
  } else if (kind === "accepted") pen.fillRect(x - SIZE + 0.6, y - SIZE + 0.6, 2 * SIZE - 1.2, 2 * SIZE - 1.2);
  else {
    pen.moveTo(x - SIZE, y - SIZE);
    pen.lineTo(x + SIZE, y + SIZE);
    pen.moveTo(x - SIZE, y + SIZE);
    pen.lineTo(x + SIZE, y - SIZE);
    pen.stroke();
  }
}
