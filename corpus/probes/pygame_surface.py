"""pygame draws, writes text with its own font, and keeps an image."""

import pygame

pygame.init()
screen = pygame.display.set_mode((60, 40))
screen.blit(pygame.font.Font(None, 20).render("text", True, "white"), (0, 0))
pygame.image.save(screen, "screen.png")
print(pygame.image.load("screen.png").get_size())
