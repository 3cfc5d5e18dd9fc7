import { call, onSubmit } from "./client.js";

onSubmit("welcome", async ({ password, again }) => {
  if (password !== again) throw new Error("The two passwords differ. Type them again.");
  await call("POST", "/passwords", { link: location.hash.slice(1), password });
  location.assign("/");
});
