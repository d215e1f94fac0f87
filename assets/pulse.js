/* The line that moves on a watching page: it asks our own route, and Python only when the page must be drawn again. */

import { due } from "./pulse_logic.mjs";

const KEEP = "__gmaugPulse";

export default function (component) {
  const { parentElement, data, setStateValue } = component;
  const pulse = (parentElement[KEEP] ??= new Pulse(parentElement));
  pulse.tell = setStateValue;
  pulse.receive(data);
  return () => pulse.rest(parentElement);
}

class Pulse {
  constructor(parent) {
    this.root = document.createElement("div");
    this.root.className = "pulse";
    this.said = document.createElement("div");
    this.bar = document.createElement("div");
    this.bar.className = "track";
    this.bar.setAttribute("role", "progressbar");
    this.bar.setAttribute("aria-label", "Progress of this stage");
    this.bar.setAttribute("aria-valuemin", "0");
    this.bar.setAttribute("aria-valuemax", "100");
    this.filled = document.createElement("div");
    this.bar.append(this.filled);
    this.root.append(this.said, this.bar);
    parent.append(this.root);
  }

  receive(data) {
    this.data = data;
    this.drawn = { shape: data.now.shape, news: data.now.news, at: performance.now() / 1000 };
    this.draw(data.now);
    this.next();
  }

  next() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), this.data.every * 1000);
  }

  async look() {
    let now = null;
    try {
      const answer = await fetch(this.data.address, { credentials: "same-origin" });
      if (answer.ok) now = await answer.json();
    } catch {
      // the server may be starting again: the next look finds it
    }
    if (!this.root.isConnected) return;
    if (now) {
      this.draw(now);
      const time = performance.now() / 1000;
      if (due(this.drawn, now, time, this.data.draw)) {
        this.drawn = { shape: now.shape, news: now.news, at: time };
        this.tell("look", Date.now());
      }
    }
    this.next();
  }

  draw({ said, share }) {
    this.root.hidden = share === null;
    this.said.textContent = said;
    this.filled.style.width = `${100 * (share ?? 0)}%`;
    this.bar.setAttribute("aria-valuenow", String(Math.round(100 * (share ?? 0))));
    this.bar.setAttribute("aria-valuetext", said);
  }

  /* Called when the component leaves the page, and before it is called again: in a moment it is known which. */
  rest() {
    clearTimeout(this.timer);
  }
}
