// In the page that is measured: the times of its frames, from inputs to their frames, and of what the editor does.
// A task after an animation frame's callbacks runs when that frame has been painted.

window.probe = (() => {
  const times = {};
  const channel = new MessageChannel();
  const waiting = [];
  channel.port1.onmessage = () => waiting.shift()(performance.now());
  /** @param {(now: number) => void} tell called once the next frame is painted */
  const painted = (tell) =>
    requestAnimationFrame(() => {
      waiting.push(tell);
      channel.port2.postMessage(null);
    });

  let frames = [];
  let paints = [];
  let running = false;
  let input = null;
  addEventListener("pointermove", (event) => (input ??= event.timeStamp), { capture: true });
  const frame = (now) => {
    if (!running) return;
    frames.push(now);
    if (input !== null) {
      const from = input;
      input = null;
      waiting.push((then) => paints.push(then - from));
      channel.port2.postMessage(null);
    }
    requestAnimationFrame(frame);
  };

  customElements.whenDefined("mask-editor").then(() => {
    const { prototype } = customElements.get("mask-editor");
    for (const [name, mark] of [
      ["announce", "first"],
      ["open", "first"],
      ["addMaps", "all"],
    ]) {
      const own = prototype[name];
      prototype[name] = function (...given) {
        own.apply(this, given);
        if (given[0] && (mark === "first" || given[0].probability)) painted((now) => (times[mark] ??= now));
      };
    }
  });
  addEventListener("keydown", ({ key, timeStamp }) => key === "Enter" && (times.accepted = timeStamp), {
    capture: true,
  });
  const { fetch } = window;
  window.fetch = async (place, options) => {
    const answer = await fetch(place, options);
    if (options?.method === "PUT" && String(place).endsWith("/label")) times.received = performance.now();
    return answer;
  };

  return {
    times,
    start: () => {
      frames = [];
      paints = [];
      input = null;
      running = true;
      requestAnimationFrame(frame);
    },
    stop: () => {
      running = false;
      return { frames, paints };
    },
  };
})();
