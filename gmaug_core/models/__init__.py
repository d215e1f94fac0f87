"""What learns: generators, classifiers, and how good their images are. Torch from here on."""
