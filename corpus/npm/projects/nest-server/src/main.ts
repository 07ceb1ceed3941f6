import "reflect-metadata";
import { Body, Controller, Get, Injectable, Module, Post, ValidationPipe } from "@nestjs/common";
import { ConfigModule, ConfigService } from "@nestjs/config";
import { NestFactory } from "@nestjs/core";
import { DocumentBuilder, SwaggerModule } from "@nestjs/swagger";
import { Basket } from "./basket.dto";

@Injectable()
export class Stock {
  constructor(private readonly config: ConfigService) {}

  count(): string {
    return this.config.get("APPLES", "3");
  }
}

@Controller()
export class Shop {
  constructor(private readonly stock: Stock) {}

  @Get()
  show(): string {
    return `${this.stock.count()} apples`;
  }

  @Post()
  put(@Body() basket: Basket): Basket {
    return basket;
  }
}

@Module({ imports: [ConfigModule.forRoot()], controllers: [Shop], providers: [Stock] })
export class Main {}

async function main(): Promise<void> {
  const app = await NestFactory.create(Main, { logger: ["error"] });
  app.useGlobalPipes(new ValidationPipe());
  const document = SwaggerModule.createDocument(app, new DocumentBuilder().setTitle("Shop").build());
  SwaggerModule.setup("api", app, document);
  console.log(JSON.stringify(document.components));
  await app.listen(0, "127.0.0.1");
  const base = await app.getUrl();
  const posted = (body: string) => ({ method: "POST", headers: { "content-type": "application/json" }, body });
  console.log(await (await fetch(base)).text());
  console.log((await fetch(base, posted('{"apples": 1}'))).status, (await fetch(base, posted('{"apples": "x"}'))).status);
  for (const path of ["/api", "/api/swagger-ui.css", "/api/swagger-ui-bundle.js"]) {
    console.log(path, (await fetch(base + path)).status);
  }
  await app.close();
}

void main();
