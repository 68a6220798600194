"use strict";
// What lean.js starts in each of Lean's threads.
require("./glue.cjs").run();
