// Reports errors of the front end to the server's log: at most ten for each page that is loaded, each one once.
(() => {
  "use strict";
  const seen = new Set();
  const report = (kind, message, source, line, stack) => {
    const key = kind + message + source + line;
    if (seen.size >= 10 || seen.has(key)) return;
    seen.add(key);
    const body = JSON.stringify({
      kind,
      message: String(message).slice(0, 500),
      source: String(source || "").slice(0, 300),
      line: Number(line) || 0,
      stack: String(stack || "").slice(0, 2000),
      page: location.pathname.slice(0, 200),
    });
    fetch("/client-errors", {
      method: "POST", body, keepalive: true, headers: { "Content-Type": "application/json" },
    }).catch(() => {});
  };
  addEventListener("error", (event) => {
    if (event.message) report("error", event.message, event.filename, event.lineno, event.error && event.error.stack);
  });
  addEventListener("unhandledrejection", (event) => {
    const reason = event.reason || {};
    report("rejection", reason.message || reason, "", 0, reason.stack);
  });
  addEventListener("securitypolicyviolation", (event) => {
    if (event.blockedURI === "wasm-eval") return;  // the front end asks once whether it may, and goes on without
    report("policy", `${event.effectiveDirective} blocked ${event.blockedURI}`, event.sourceFile, event.lineNumber, "");
  });
})();
