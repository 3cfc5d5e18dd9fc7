// Before the page is drawn, so that a dark page does not flash in white.
document.documentElement.dataset.theme = localStorage.getItem("theme") ?? "";
document.addEventListener("DOMContentLoaded", () => {
  const choice = /** @type {HTMLSelectElement} */ (document.getElementById("theme"));
  choice.value = document.documentElement.dataset.theme ?? "";
  choice.addEventListener("change", () => {
    localStorage.setItem("theme", choice.value);
    document.documentElement.dataset.theme = choice.value;
  });
});
