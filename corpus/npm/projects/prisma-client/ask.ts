// Makes a client, which finds no database.
import { PrismaPg } from "@prisma/adapter-pg";
import { Kind, Prisma, PrismaClient } from "./generated/client";

const client = new PrismaClient({ adapter: new PrismaPg({ connectionString: "postgresql://nobody@127.0.0.1:1/none" }) });
console.log(Object.keys(Kind), Object.keys(Prisma.ModelName));
try {
  await client.basket.count();
} catch (error) {
  console.log((error as { code?: string }).code);
}
await client.$disconnect();
