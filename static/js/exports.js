// One's exports: bars move while a worker is at it; a row is fetched anew when its export has ended.
import "./live.js";

document.addEventListener("atelier:export.changed", ({ detail }) => {
  const row = document.getElementById(`export-${detail.export}`);
  if (!row) return;
  if (detail.state !== "running" || row.dataset.state !== "running") return htmx.trigger(row, "stale");
  row.querySelector("progress").value = detail.done;
  const count = row.querySelector("[data-count]");
  count.textContent = count.dataset.words.replace("{done}", detail.done).replace("{total}", detail.total);
});

// What happened while the socket was away.
document.addEventListener("atelier:connected", () => {
  for (const row of document.querySelectorAll(".delivery[hx-get]")) htmx.trigger(row, "stale");
});
