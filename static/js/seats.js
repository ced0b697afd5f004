// The seat of a picture that goes stays, so that nothing moves; what stood in it is kept for an Undo.
const gone = new Map();
/** The figure of the picture `id` among the rows of this page; null when it is not here. */
export const seatOf = (id) => document.querySelector(`#pictures > [data-media="${CSS.escape(id)}"]`);

/** Empties the seat of the picture `id`. */
export function empty(id) {
  const seat = seatOf(id);
  if (!seat?.childElementCount) return;
  gone.set(id, [...seat.childNodes]);
  seat.replaceChildren();
}

/** Puts back what stood there; whether there was anything. */
export function fill(id) {
  const seat = seatOf(id);
  if (!seat || !gone.has(id)) return false;
  if (!seat.childElementCount) seat.append(...gone.get(id));
  gone.delete(id);
  return true;
}
