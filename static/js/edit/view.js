// How the picture lies on its table: nearer, farther, moved. Buttons, + - 0, Ctrl and the wheel, two fingers, Space or the
// middle button and a drag.

const NEAREST = 8;
const STEP = 1.25;

export class View {
  #fingers = new Map();
  #zoom = 1;
  #at = [0, 0];

  constructor(table, frame, told) {
    this.table = table;
    this.frame = frame;
    this.told = told;
    table.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    table.addEventListener("pointerdown", (event) => this.#down(event), true);
    table.addEventListener("pointermove", (event) => this.#move(event), true);
    for (const end of ["pointerup", "pointercancel"]) table.addEventListener(end, (event) => this.#up(event), true);
  }

  /** Whether a drag now moves the picture instead of painting. */
  isMoving = false;

  get fingers() {
    return this.#fingers.size;
  }

  nearer(times = STEP, around) {
    const box = this.table.getBoundingClientRect();
    const [x, y] = around ?? [box.left + box.width / 2, box.top + box.height / 2];
    const next = Math.min(NEAREST, Math.max(1, this.#zoom * times));
    const seen = this.frame.getBoundingClientRect();
    const ratio = next / this.#zoom;
    // What lies under the point stays there.
    this.#at[0] += (seen.left + seen.width / 2 - x) * (ratio - 1);
    this.#at[1] += (seen.top + seen.height / 2 - y) * (ratio - 1);
    this.#zoom = next;
    this.#show();
  }

  farther() {
    this.nearer(1 / STEP);
  }

  fit() {
    this.#zoom = 1;
    this.#show();
  }

  move(x, y) {
    this.#at[0] += x;
    this.#at[1] += y;
    this.#show();
  }

  #show() {
    const most = [this.frame.offsetWidth, this.frame.offsetHeight].map((side) => (side * (this.#zoom - 1)) / 2);
    this.#at = this.#zoom === 1 ? [0, 0] : this.#at.map((value, axis) => Math.min(most[axis], Math.max(-most[axis], value)));
    this.frame.style.transform = this.#zoom === 1 ? "" : `translate(${this.#at[0]}px, ${this.#at[1]}px) scale(${this.#zoom})`;
    this.frame.style.setProperty("--zoom", this.#zoom);
    this.told(Math.round(this.#zoom * 100));
  }

  #wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.nearer(event.deltaY < 0 ? 1.1 : 1 / 1.1, [event.clientX, event.clientY]);
  }

  #down(event) {
    if (event.pointerType === "touch") this.#fingers.set(event.pointerId, [event.clientX, event.clientY]);
    const isPan = this.isMoving || event.button === 1;
    if (isPan || this.#fingers.size > 1) event.stopPropagation();
    if (!isPan) return;
    event.preventDefault();
    this.table.setPointerCapture(event.pointerId);
    this.panning = [event.clientX, event.clientY];
  }

  #move(event) {
    if (this.panning && !this.#fingers.size) {
      this.move(event.clientX - this.panning[0], event.clientY - this.panning[1]);
      this.panning = [event.clientX, event.clientY];
    }
    if (!this.#fingers.has(event.pointerId)) return;
    const before = [...this.#fingers.values()];
    this.#fingers.set(event.pointerId, [event.clientX, event.clientY]);
    if (this.#fingers.size < 2) return;
    event.stopPropagation();
    const now = [...this.#fingers.values()];
    const [middle, was] = [now, before].map(([a, b]) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]);
    const [wide, wasWide] = [now, before].map(([a, b]) => Math.hypot(a[0] - b[0], a[1] - b[1]));
    this.move(middle[0] - was[0], middle[1] - was[1]);
    if (wasWide > 0) this.nearer(wide / wasWide, middle);
  }

  #up(event) {
    this.#fingers.delete(event.pointerId);
    this.panning = undefined;
  }
}
