const HtmlPlugin = require("html-webpack-plugin");
const CssPlugin = require("mini-css-extract-plugin");

const babel = { presets: [["@babel/preset-env", { targets: "defaults" }], ["@babel/preset-react", { runtime: "automatic" }]] };

module.exports = {
  entry: "./src/main.jsx",
  output: { filename: "[name].[contenthash].js", clean: true },
  module: {
    rules: [
      { test: /\.jsx$/, exclude: /node_modules/, use: { loader: "babel-loader", options: babel } },
      { test: /\.css$/, use: [CssPlugin.loader, "css-loader"] },
    ],
  },
  optimization: { splitChunks: { chunks: "all" } },
  plugins: [new HtmlPlugin(), new CssPlugin()],
};
