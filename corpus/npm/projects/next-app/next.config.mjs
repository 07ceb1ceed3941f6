export default { generateBuildId: () => "one", productionBrowserSourceMaps: true, eslint: { ignoreDuringBuilds: true } };
