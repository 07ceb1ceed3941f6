# An image of an environment for containers: an archive that holds its whole closure, made without Docker.
{ names, run }:
let
  inherit (builtins)
    attrNames
    concatStringsSep
    elemAt
    genList
    length
    listToAttrs
    map
    match
    ;

  # As Go, and so the image format, names them.
  architectures = {
    x86_64-linux = "amd64";
    aarch64-linux = "arm64";
    i686-linux = "386";
    armv7l-linux = "arm";
    powerpc64le-linux = "ppc64le";
    riscv64-linux = "riscv64";
    s390x-linux = "s390x";
  };

  # What registries take (distribution-spec, "Pulling manifests"); a name may begin with a host and its port.
  namePattern = "[a-z0-9]+([._/:-]+[a-z0-9]+)*";
  tagPattern = "[A-Za-z0-9_][A-Za-z0-9._-]{0,127}";
in
{
  # image :: { env, name ? env.name, tag ? "latest", command ? null, shell ? null, packages ? [ ], variables ? { },
  #            layers ? 100 } -> derivation
  #
  # An OCI image as a tar archive, which `docker load`, `podman load` and `skopeo copy oci-archive:` take. env: what `env`
  # gave, with a Python of the store. command: what a container runs, words; null is Python. shell: a package with
  # bin/sh, bin/bash or bin/dash, which becomes /bin/sh; the commands of an environment start with it. packages: further
  # ones to hold, an application for one, whose programs come before the environment's on PATH. variables: for
  # containers. layers: their number at most. Each package is a layer, so that images of one Python share them.
  image =
    {
      env,
      name ? env.name,
      tag ? "latest",
      command ? null,
      shell ? null,
      packages ? [ ],
      variables ? { },
      layers ? 100,
    }:
    let
      inherit (env) system;
      inherit (env.nixgen) interpreter;
      shells = if shell == null then [ ] else [ shell ];
      # Whose closures the image holds, by the names of the files in which Nix tells them.
      roots = listToAttrs (
        genList (index: {
          name = "closure-${toString index}";
          value = elemAt held index;
        }) (length held)
      );
      held = [ env ] ++ shells ++ packages;
    in
    if !(architectures ? ${system}) then
      throw ''
        nixgen: there are no images for ${system}
          where: the argument `env` of image
          what to do: choose an environment for ${concatStringsSep ", " (attrNames architectures)}''
    else if interpreter.usesMachine then
      throw ''
        nixgen: an image cannot hold the machine's own ${
          if interpreter.machine then "Python" else "C library, which the lock's standalone Python needs"
        }
          where: ${interpreter.path}
          what to do: take a Python of the store, nixpkgs' for one: nixgen image --python /nix/store/…/bin/python3, or python = pkgs.python3 in Nix''
    else if match namePattern name == null then
      throw ''
        nixgen: an image cannot be named ${name}
          where: the argument `name` of image
          what to do: take lower-case letters and digits, with single dots, hyphens and slashes between them''
    else if match tagPattern tag == null then
      throw ''
        nixgen: an image cannot be tagged ${tag}
          where: the argument `tag` of image
          what to do: take letters, digits, underscores, dots and hyphens''
    else if layers < 5 then
      throw ''
        nixgen: an image cannot have ${toString layers} layers
          where: the argument `layers` of image
          what to do: allow five or more''
    else
      run.run {
        name = "${baseNameOf name}-image.tar";
        builder = "image";
        inherit system interpreter;
        attributes = {
          env = "${env}";
          graphs = attrNames roots;
          shells = map toString shells;
          packages = map toString packages;
          inherit name tag command;
          architecture = architectures.${system};
          variables = names.pairs variables;
          limit = layers;
        };
        graphs = roots;
        allowSubstitutes = false;
      };
}
