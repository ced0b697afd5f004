// Lists of what happened, where such a list stands: fetched anew a moment after something did.

const GATHER_MS = 600;
let timer;

function refresh() {
  const list = document.getElementById("activity");
  if (!list) return; // nothing had happened yet: the page says so until it is opened again
  timer ??= setTimeout(() => {
    timer = undefined;
    if (!list.contains(document.activeElement)) htmx.ajax("GET", location.href, { source: "#activity", target: "#activity", select: "#activity", swap: "outerHTML" });
  }, GATHER_MS);
}

for (const kind of ["activity.added", "notice.added"]) document.addEventListener(`atelier:${kind}`, refresh);
