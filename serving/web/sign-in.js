import { call, onSubmit } from "./client.js";

/** The page that the person wanted is behind the #; only a path of this service is taken. */
function wanted() {
  const path = decodeURIComponent(location.hash.slice(1));
  return /^\/(?![/\\])/.test(path) ? path : "/";
}

for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (
  document.querySelectorAll("[data-elsewhere]")
)) {
  link.search = `?to=${encodeURIComponent(wanted())}`;
}

onSubmit("sign-in", async ({ name, password }) => {
  await call("POST", "/sessions", { name, password });
  location.assign(wanted());
});
