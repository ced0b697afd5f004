"""The channels that ship: (slug, name, width, height, further fields). Sizes as the platforms ask for in 2026."""

from typing import Any

CHANNELS: tuple[tuple[str, str, int | None, int | None, dict[str, Any]], ...] = (
    ("whole", "Whole picture", None, None, {"format": "png", "quality": 95}),
    ("instagram-square", "Instagram square", 1080, 1080, {"max_kb": 8000}),
    ("instagram-portrait", "Instagram portrait", 1080, 1350, {"max_kb": 8000}),
    ("instagram-story", "Story or Reel", 1080, 1920, {"safe_top": 13, "safe_bottom": 18, "safe_sides": 6}),
    ("linkedin-post", "LinkedIn post", 1200, 627, {"max_kb": 5000}),
    ("linkedin-banner", "LinkedIn page banner", 1128, 191, {"safe_sides": 5}),
    ("x-post", "X post", 1600, 900, {"max_kb": 5000}),
    ("x-header", "X header", 1500, 500, {"safe_bottom": 20, "safe_sides": 4}),
    ("facebook-post", "Facebook link or post", 1200, 630, {"max_kb": 8000}),
    ("facebook-cover", "Facebook cover", 1640, 624, {"safe_sides": 12}),
    ("youtube-thumbnail", "YouTube thumbnail", 1280, 720, {"max_kb": 2000, "safe_bottom": 10}),
    ("pinterest-pin", "Pinterest pin", 1000, 1500, {"max_kb": 10000}),
    ("web-banner", "Web banner 3:1", 1800, 600, {"format": "webp", "quality": 82, "max_kb": 300}),
    ("web-hero", "Web hero 16:9", 1920, 1080, {"format": "avif", "quality": 70, "max_kb": 400}),
    ("newsletter", "Newsletter header", 1200, 600, {"quality": 80, "max_kb": 200}),
    ("print-a4", "Print A4, 300 dpi", 2480, 3508, {"dpi": 300, "quality": 95}),
    ("print-a4-landscape", "Print A4 landscape, 300 dpi", 3508, 2480, {"dpi": 300, "quality": 95}),
    ("print-a5", "Print A5, 300 dpi", 1748, 2480, {"dpi": 300, "quality": 95}),
)
