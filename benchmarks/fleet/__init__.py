"""What a store holds as environments come: a model of many environments, over the files of real wheels."""
