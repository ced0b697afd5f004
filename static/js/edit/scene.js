// Where a thing without its background stands on the canvas of a format: by dragging it, or by the sliders.
import { place } from "./extend.js";

const clamp = (value) => Math.min(1, Math.max(0, value));

export class Scene {
  constructor(form, frame, picture) {
    Object.assign(this, { form, frame, picture });
    this.address = form.querySelector("[data-scene]")?.dataset.scene;
    this.original = frame.querySelector("[data-original]");
    this.own = this.original.src;
    if (!this.address) return;
    form.addEventListener("input", (event) => this.isOn && ["format", "scale", "x", "y"].includes(event.target.name) && this.show());
    frame.addEventListener("pointerdown", (event) => this.isOn && event.button === 0 && this.#drag(event));
  }

  isOn = false;

  show() {
    if (!this.address) return;
    this.isOn = true;
    if (this.original.src !== this.address) this.original.src = this.address;
    const { format, scale, x, y } = this.form.elements;
    const { wide, high } = format.selectedOptions[0].dataset;
    const [width, height] = [Number(wide), Number(high)];
    const fits = Math.min(width / this.picture.width, height / this.picture.height) * Number(scale.value);
    const thing = { width: this.picture.width * fits, height: this.picture.height * fits };
    place(this.frame, thing, { left: width * Number(x.value) - thing.width / 2, top: height * Number(y.value) - thing.height / 2 }, { width, height });
  }

  /** Shows the picture itself again; whoever comes next places it. */
  hide() {
    if (!this.isOn) return;
    this.isOn = false;
    this.original.src = this.own;
  }

  #drag(event) {
    event.preventDefault();
    this.frame.setPointerCapture(event.pointerId);
    const { x, y } = this.form.elements;
    const box = this.frame.getBoundingClientRect();
    const from = { x: Number(x.value) - event.clientX / box.width, y: Number(y.value) - event.clientY / box.height };
    const move = (next) => {
      x.value = clamp(from.x + next.clientX / box.width);
      y.value = clamp(from.y + next.clientY / box.height);
      x.dispatchEvent(new Event("input", { bubbles: true })); // once for both: the outputs follow, too
    };
    this.frame.addEventListener("pointermove", move);
    this.frame.addEventListener("lostpointercapture", () => this.frame.removeEventListener("pointermove", move), { once: true });
  }
}
