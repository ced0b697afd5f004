// The way from a list to a picture and back to the same place. The place is kept for this tab only.

const KEY = "atelier:place";

/** Remembers, when a picture is opened from this page, where the page stood. `pages`: how many pages were loaded. */
export function rememberPlace(pages = () => 1) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-picture]");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
    sessionStorage.setItem(KEY, JSON.stringify({ url: location.pathname + location.search, y: scrollY, pages: pages() }));
  });
}

/** Forgets it: pictures opened from here on were not opened from a list. */
export const forgetPlace = () => sessionStorage.removeItem(KEY);

/** Goes back to where the last picture was opened from; to `fallback` when this tab has not been there. */
export function goBack(fallback) {
  const place = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  if (place && history.length > 1) {
    sessionStorage.setItem(KEY, JSON.stringify({ ...place, isReturning: true }));
    history.back();
  } else location.assign(fallback);
}

/** Where to scroll to if the person is coming back to this page now, else null. Asked once. */
export function placeToReturnTo() {
  const place = JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  const [navigation] = performance.getEntriesByType("navigation");
  const isBack = place?.isReturning || navigation?.type === "back_forward";
  if (!place || !isBack || place.url !== location.pathname + location.search) return null;
  sessionStorage.removeItem(KEY);
  return place;
}
