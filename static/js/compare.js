// Two pictures in one place: the range over them moves the line between before and after. It is an ordinary range, so the
// arrow keys move it; a pointer may take the line anywhere on the picture.

const ranges = "[data-compare] > input[type=range]";

document.addEventListener("input", (event) => {
  if (event.target.matches?.(ranges)) event.target.parentElement.style.setProperty("--at", `${event.target.value}%`);
});
