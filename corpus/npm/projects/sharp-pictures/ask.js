// A picture that is made, turned, made smaller and written in four formats.
import { createHash } from "node:crypto";
import sharp from "sharp";

const made = sharp({ create: { width: 64, height: 48, channels: 3, background: "teal" } });
const drawn = Buffer.from('<svg width="20" height="20"><circle cx="10" cy="10" r="9" fill="orange"/></svg>');
const picture = await made.composite([{ input: drawn, left: 5, top: 5 }]).png().toBuffer();
for (const format of ["png", "jpeg", "webp", "avif"]) {
  const written = await sharp(picture).rotate(90).resize(20).toFormat(format).toBuffer();
  const { width, height } = await sharp(written).metadata();
  console.log(format, width, height, createHash("sha256").update(written).digest("hex"));
}
console.log(Object.keys(sharp.versions).sort().join(" "));
