// What a browser that is not there gives.
const { chromium, devices } = require("@playwright/test");

console.log(Object.keys(devices).length, chromium.executablePath().split("/").slice(-4).join("/"));
chromium.launch().catch((error) => console.log(error.message.split("\n")[0]));
