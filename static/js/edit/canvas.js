// Painting on the mask: by mouse, pen or finger; with the canvas in focus by the arrow keys and Space.
import { History } from "./history.js";
import { Mask } from "./mask.js";

const STEP = 0.02; // of the longer side, a press of an arrow key; with Shift five times as far
const SIZES = { least: 0.01, most: 0.5, step: 1.15 };

export class Canvas {
  #stroke;
  #cursor;

  constructor(element, picture, { view, ring, changed }) {
    this.element = element;
    this.picture = picture;
    this.view = view;
    this.ring = ring;
    this.mask = new Mask(element, picture);
    this.history = new History(() => {
      this.mask.show(this.history.operations);
      changed();
    });
    this.longer = Math.max(picture.width, picture.height);
    this.size = this.longer * 0.12;
    this.erases = false;
    element.addEventListener("pointerdown", (event) => this.#down(event));
    element.addEventListener("pointermove", (event) => this.#move(event));
    element.addEventListener("pointerup", (event) => this.#up(event));
    element.addEventListener("pointercancel", () => this.#drop());
    element.addEventListener("pointerleave", () => { ring.hidden = document.activeElement !== element || !this.#cursor; });
    element.addEventListener("keydown", (event) => this.#key(event));
    element.addEventListener("blur", () => { ring.hidden = true; });
  }

  get isEmpty() {
    return this.history.operations.length === 0 || this.mask.part === 0;
  }

  resize(times) {
    this.size = Math.min(this.longer * SIZES.most, Math.max(this.longer * SIZES.least, this.size * times));
  }

  larger() {
    this.resize(SIZES.step);
  }

  smaller() {
    this.resize(1 / SIZES.step);
  }

  /** Shows how large the brush is, at a point of the picture. */
  #showRing([x, y]) {
    const { width, height } = this.picture;
    this.ring.hidden = false;
    this.ring.style.cssText = `inset-inline-start: ${(100 * x) / width}%; inset-block-start: ${(100 * y) / height}%; inline-size: ${(100 * this.size) / width}%`;
  }

  #point(event) {
    const box = this.element.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * this.picture.width, ((event.clientY - box.top) / box.height) * this.picture.height];
  }

  #down(event) {
    if (event.button !== 0) return;
    this.element.setPointerCapture(event.pointerId);
    this.#stroke = { kind: "stroke", points: [this.#point(event)], size: this.size, erases: this.erases || event.buttons === 32 };
    this.mask.more(this.#stroke);
  }

  #move(event) {
    const point = this.#point(event);
    if (event.pointerType !== "touch") this.#showRing(point);
    if (!this.#stroke) return;
    if (this.view.fingers > 1) return this.#drop(); // a second finger came: it was no stroke, it is a pinch
    for (const one of event.getCoalescedEvents?.() ?? [event]) this.#stroke.points.push(this.#point(one));
    this.mask.more({ ...this.#stroke, points: this.#stroke.points.slice(-12) });
  }

  #up(event) {
    if (!this.#stroke) return;
    this.element.releasePointerCapture(event.pointerId);
    this.history.add(this.#stroke);
    this.#stroke = undefined;
  }

  #drop() {
    this.#stroke = undefined;
    this.mask.show(this.history.operations);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { width, height } = this.picture;
    const far = this.longer * STEP * (event.shiftKey ? 5 : 1);
    this.#cursor ??= [width / 2, height / 2];
    const [x, y] = this.#cursor;
    const to = { ArrowLeft: [x - far, y], ArrowRight: [x + far, y], ArrowUp: [x, y - far], ArrowDown: [x, y + far] }[event.key];
    if (to) {
      this.#cursor = [Math.min(width, Math.max(0, to[0])), Math.min(height, Math.max(0, to[1]))];
    } else if (event.key === " ") {
      this.history.add({ kind: "stroke", points: [[x, y]], size: this.size, erases: this.erases });
    } else return;
    event.preventDefault();
    this.#showRing(this.#cursor);
  }
}
