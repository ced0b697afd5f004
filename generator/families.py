"""The families of models that are known by name, and what draws each: a class of diffusers."""

# One that is not named here may be anything, so any worker may try it.
PIPELINES = {
    "starter": "StableDiffusionPipeline",
    "sd1": "StableDiffusionPipeline",
    "sd2": "StableDiffusionPipeline",
    "sdxl": "StableDiffusionXLPipeline",
    "sd3": "StableDiffusion3Pipeline",
    "flux": "FluxPipeline",
    "pixart": "PixArtSigmaPipeline",
    "sana": "SanaPipeline",
    "qwen-image": "QwenImagePipeline",
    "z-image": "ZImagePipeline",
}
# What a folder is whose model_index.json names that class, unless a file in it says better.
DRAWN_BY = {pipeline: family for family, pipeline in PIPELINES.items() if family not in ("starter", "sd2")}
