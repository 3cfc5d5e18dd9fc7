import { act, call, onSubmit, reveal } from "./client.js";

const signOut = /** @type {HTMLButtonElement | null} */ (document.getElementById("sign-out"));
signOut?.addEventListener("click", () =>
  act(signOut, async () => {
    await call("DELETE", "/sessions/current");
    location.assign("/sign-in");
  }),
);

onSubmit("new-token", async ({ title, days }) => {
  const made = await call("POST", "/tokens", { title, days: Number(days) });
  reveal("secret", made.secret);
});

for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (
  document.querySelectorAll("[data-revoke]")
)) {
  button.addEventListener("click", () =>
    act(button, async () => {
      await call("DELETE", `/tokens/${button.dataset.revoke}`);
      location.reload();
    }),
  );
}
