// Looking closer at one picture: wheel, pinch, double click and keys zoom, dragging moves; at its own size a swipe is told.

const MOST = 4; // times, at least; twice the pixels of a larger picture
const SWIPE = 48; // pixels
const FAR_DOWN = 96;

/**
 * Makes the child of `stage` zoomable; `replace(node)` shows another one. Calls `closer()` once a picture is enlarged (to
 * load what is sharper), and `swipe("left" | "right" | "down")`.
 */
export function zoomable(stage, { closer, swipe }) {
  const pointers = new Map();
  let content;
  let scale = 1, x = 0, y = 0;
  let start; // where one finger, or two, began
  let wasToldCloser = false;

  function most() {
    const img = content?.querySelector("img");
    return Math.max(MOST, (2 * (img?.width || 0)) / (img?.clientWidth || 1));
  }

  function apply() {
    const { clientWidth: w, clientHeight: h } = stage;
    x = Math.min(0, Math.max(w - w * scale, x));
    y = Math.min(0, Math.max(h - h * scale, y));
    if (content) content.style.transform = scale === 1 ? "" : `translate(${x}px, ${y}px) scale(${scale})`;
    stage.classList.toggle("is-zoomed", scale > 1);
    if (scale > 1.1 && !wasToldCloser) {
      wasToldCloser = true;
      closer();
    }
  }

  // Around a point of the stage, which stays where it is.
  function zoom(to, at = { x: stage.clientWidth / 2, y: stage.clientHeight / 2 }) {
    const next = Math.min(most(), Math.max(1, to));
    x = at.x - ((at.x - x) * next) / scale;
    y = at.y - ((at.y - y) * next) / scale;
    scale = next;
    apply();
  }

  const within = (event) => {
    const box = stage.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  function spread() {
    const [a, b] = [...pointers.values()];
    return { middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, distance: Math.hypot(a.x - b.x, a.y - b.y) };
  }

  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const pixels = event.deltaMode ? event.deltaY * 24 : event.deltaY;
    zoom(scale * Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.0025)), within(event));
  }, { passive: false });

  stage.addEventListener("dblclick", (event) => zoom(scale > 1 ? 1 : 2.5, within(event)));

  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    stage.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, within(event));
    start = { ...within(event), fromX: x, fromY: y, scale, touch: event.pointerType !== "mouse", was: pointers.size };
    if (pointers.size === 2) Object.assign(start, spread());
  });

  stage.addEventListener("pointermove", (event) => {
    if (!pointers.has(event.pointerId)) return;
    pointers.set(event.pointerId, within(event));
    if (pointers.size === 2) {
      const now = spread();
      zoom((start.scale * now.distance) / start.distance, now.middle);
    } else if (scale > 1 && start.was === 1) {
      x = start.fromX + within(event).x - start.x;
      y = start.fromY + within(event).y - start.y;
      apply();
    }
  });

  function lift(event) {
    if (!pointers.delete(event.pointerId)) return;
    if (event.type === "pointercancel" || pointers.size || scale > 1 || !start.touch || start.was > 1) return;
    const end = within(event);
    const [dx, dy] = [end.x - start.x, end.y - start.y];
    if (Math.abs(dx) > SWIPE && Math.abs(dx) > 2 * Math.abs(dy)) swipe(dx < 0 ? "left" : "right");
    else if (dy > FAR_DOWN && dy > 2 * Math.abs(dx)) swipe("down");
  }
  stage.addEventListener("pointerup", lift);
  stage.addEventListener("pointercancel", lift);

  return {
    get isZoomed() { return scale > 1; },
    replace(node) {
      content = node;
      stage.replaceChildren(node);
      [scale, x, y, wasToldCloser] = [1, 0, 0, false];
      pointers.clear();
      apply();
    },
    by(factor) { zoom(scale * factor); },
    move(dx, dy) { x -= dx; y -= dy; apply(); },
    fit() { zoom(1); },
  };
}
