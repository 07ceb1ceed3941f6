// Say which packages there are.
const { dependencies } = require("./package.json");

for (const name of Object.keys(dependencies)) {
  console.log(name, require(`${name}/package.json`).version);
}
