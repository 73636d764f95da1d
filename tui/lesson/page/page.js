(function () {
  var root = document.documentElement;
  var steps = document.querySelectorAll("section");
  var back = document.getElementById("back"), on = document.getElementById("on");
  var place = document.getElementById("place");
  var now = 0, touched = null;
  root.classList.add("js");

  function inside(n) { return Math.min(steps.length - 1, Math.max(0, n)); }

  function addressed() {
    var found = /^#step-(\d+)$/.exec(location.hash);
    return found ? inside(Number(found[1]) - 1) : 0;
  }

  function show(n) {
    now = inside(n);
    for (var i = 0; i < steps.length; i++) steps[i].classList.toggle("now", i === now);
    place.textContent = (now + 1) + " / " + steps.length;
    back.disabled = now === 0;
    on.disabled = now === steps.length - 1;
  }

  function go(by) {
    var n = inside(now + by);
    if (n === now) return;
    history.replaceState(null, "", "#step-" + (n + 1));
    show(n);
  }

  back.onclick = function () { go(-1); };
  on.onclick = function () { go(1); };
  document.getElementById("theme").onclick = function () {
    var light = matchMedia("(prefers-color-scheme: light)").matches;
    root.dataset.theme = (root.dataset.theme || (light ? "light" : "dark")) === "light" ? "dark" : "light";
  };
  addEventListener("hashchange", function () { show(addressed()); });
  addEventListener("keydown", function (event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    var ways = {
      ArrowRight: 1, PageDown: 1, n: 1, ArrowLeft: -1, PageUp: -1, p: -1, Home: -1e9, End: 1e9
    };
    var by = ways[event.key];
    if (event.key === " " && event.target.tagName !== "BUTTON") by = event.shiftKey ? -1 : 1;
    if (!by) return;
    event.preventDefault();
    go(by);
  });
  addEventListener("touchstart", function (event) {
    touched = event.touches.length === 1 ? event.touches[0].clientX : null;
  }, { passive: true });
  addEventListener("touchend", function (event) {
    if (touched === null) return;
    var moved = event.changedTouches[0].clientX - touched;
    if (Math.abs(moved) > 60) go(moved < 0 ? 1 : -1);
    touched = null;
  }, { passive: true });
  show(addressed());
})();
