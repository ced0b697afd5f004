// The mask: what is painted is made anew. It is drawn from the operations of a History, each in pixels of the picture, on a
// canvas that is finer than a small picture, so that an edge is smooth; what is sent has exactly the picture's size.

const FINE = 1024; // pixels of the longer side, at least
const SEEN = 128; // from which alpha on a pixel counts as painted

const draw = {
  stroke(context, { points, size, erases }) {
    context.globalCompositeOperation = erases ? "destination-out" : "source-over";
    context.lineWidth = size;
    context.beginPath();
    context.moveTo(...points[0]);
    for (const point of points) context.lineTo(...point);
    if (points.length === 1) context.lineTo(points[0][0] + 0.01, points[0][1]);
    context.stroke();
  },
  rectangle(context, { box, erases }) {
    context.globalCompositeOperation = erases ? "destination-out" : "source-over";
    context.fillRect(...box);
  },
  invert(context, _operation, { width, height }) {
    context.globalCompositeOperation = "xor";
    context.fillRect(0, 0, width, height);
  },
  clear(context, _operation, { width, height }) {
    context.clearRect(0, 0, width, height);
  },
  // What is clear in another picture of the same proportions, such as one whose background was taken away.
  clearOf(context, { image }, { width, height }) {
    context.globalCompositeOperation = "source-over";
    context.fillRect(0, 0, width, height);
    context.globalCompositeOperation = "destination-out";
    context.drawImage(image, 0, 0, width, height);
  },
};

export class Mask {
  constructor(canvas, { width, height }) {
    this.canvas = canvas;
    this.picture = { width, height };
    this.scale = Math.max(1, FINE / Math.max(width, height));
    canvas.width = Math.round(width * this.scale);
    canvas.height = Math.round(height * this.scale);
    this.context = canvas.getContext("2d", { willReadFrequently: true });
    this.ink = getComputedStyle(canvas).color;
  }

  /** Draws all operations anew. */
  show(operations) {
    const { context, canvas, scale, picture } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    for (const operation of operations) this.#apply(operation, picture);
  }

  /** Draws one operation more, over what is there: a stroke while it is being made. */
  more(operation) {
    this.#apply(operation, this.picture);
  }

  #apply(operation, picture) {
    const { context } = this;
    context.save();
    context.lineCap = context.lineJoin = "round";
    context.strokeStyle = context.fillStyle = this.ink;
    draw[operation.kind](context, operation, picture);
    context.restore();
  }

  /** The part of the picture that is painted, from 0 to 1. */
  get part() {
    const { data } = this.context.getImageData(0, 0, this.canvas.width, this.canvas.height);
    let painted = 0;
    for (let place = 3; place < data.length; place += 4) painted += data[place] >= SEEN;
    return painted / (data.length / 4);
  }

  /** A PNG of the picture's size: clear where it is made anew, as the API takes it too. */
  async png() {
    const { width, height } = this.picture;
    const small = new OffscreenCanvas(width, height);
    const context = small.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(this.canvas, 0, 0, width, height);
    const pixels = context.getImageData(0, 0, width, height);
    for (let place = 0; place < pixels.data.length; place += 4) {
      pixels.data[place + 3] = pixels.data[place + 3] >= SEEN ? 0 : 255;
    }
    context.putImageData(pixels, 0, 0);
    return small.convertToBlob({ type: "image/png" });
  }
}
