// How far the picture is extended at each side: by dragging the sides, by numbers, or to a channel's format.

const SIDES = ["left", "top", "right", "bottom"];
const MULTIPLE = 8;

export class Extend {
  constructor(form, frame, picture, changed) {
    this.form = form;
    this.frame = frame;
    this.picture = picture;
    this.changed = changed;
    for (const handle of frame.querySelectorAll("[data-side]")) {
      handle.addEventListener("pointerdown", (event) => this.#drag(event, handle));
    }
    form.addEventListener("input", (event) => SIDES.includes(event.target.name) && this.show());
    form.addEventListener("click", (event) => {
      const button = event.target.closest("[data-format]");
      if (button) this.to(Number(button.dataset.wide), Number(button.dataset.high));
    });
  }

  get margins() {
    return Object.fromEntries(SIDES.map((side) => [side, Math.max(0, Number(this.form.elements[side].value) || 0)]));
  }

  set(margins) {
    for (const side of SIDES) {
      if (side in margins) this.form.elements[side].value = Math.max(0, Math.round(margins[side] / MULTIPLE) * MULTIPLE);
    }
    this.show();
  }

  /** To these proportions: as much at one side as at the other. */
  to(wide, high) {
    const { width, height } = this.picture;
    const across = Math.max(0, (height * wide) / high - width) / 2;
    const down = Math.max(0, (width * high) / wide - height) / 2;
    this.set({ left: across, right: across, top: down, bottom: down });
  }

  get size() {
    const { left, top, right, bottom } = this.margins;
    return { width: this.picture.width + left + right, height: this.picture.height + top + bottom };
  }

  /** Gives the frame the proportions that the picture will have, the picture its place in it. */
  show() {
    place(this.frame, this.picture, this.margins, this.size);
    this.changed();
  }

  hide() {
    place(this.frame, this.picture, { left: 0, top: 0 }, this.picture);
  }

  #drag(event, handle) {
    event.preventDefault();
    handle.setPointerCapture(event.pointerId);
    const { side } = handle.dataset;
    const isAcross = side === "left" || side === "right";
    const sign = side === "left" || side === "top" ? -1 : 1;
    const box = this.frame.getBoundingClientRect();
    const perPixel = this.size.width / box.width;
    const start = { at: isAcross ? event.clientX : event.clientY, margin: this.margins[side] };
    const move = (next) => {
      const moved = ((isAcross ? next.clientX : next.clientY) - start.at) * sign * perPixel;
      this.set({ [side]: start.margin + moved });
    };
    handle.addEventListener("pointermove", move);
    handle.addEventListener("lostpointercapture", () => handle.removeEventListener("pointermove", move), { once: true });
  }
}

/** Puts a picture into a frame of another size, as style sheets read it. */
export function place(frame, picture, { left, top }, size) {
  const parts = { x: left / size.width, y: top / size.height, w: picture.width / size.width, h: picture.height / size.height };
  for (const [name, part] of Object.entries(parts)) frame.style.setProperty(`--${name}`, `${part * 100}%`);
  frame.style.setProperty("--ratio", (size.width / size.height).toFixed(4));
}
