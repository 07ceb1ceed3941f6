const Database = require("better-sqlite3");

const database = new Database(":memory:");
database.exec("create table basket (name text, count integer)");
const put = database.prepare("insert into basket values (?, ?)");
database.transaction(() => ["apples", "pears"].forEach((name, number) => put.run(name, number + 1)))();
console.log(database.prepare("select name, count from basket order by name").all());
console.log(database.prepare("select count(*) from basket").pluck().get());
