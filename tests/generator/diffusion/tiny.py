"""Tiny pipelines of the real families, from configurations and a seed: real classes, a few thousand random weights."""

import string

import torch
from diffusers import (
    AutoencoderDC,
    AutoencoderKL,
    AutoencoderKLQwenImage,
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    LatentConsistencyModelPipeline,
    LCMScheduler,
    PixArtSigmaPipeline,
    PixArtTransformer2DModel,
    PNDMScheduler,
    QwenImagePipeline,
    QwenImageTransformer2DModel,
    SanaPipeline,
    SanaTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
    ZImagePipeline,
    ZImageTransformer2DModel,
)
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    Gemma2Config,
    Gemma2Model,
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen3Config,
    Qwen3Model,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
WIDER = 40  # of a second CLIP, which single files tell from the first by its width


def sd1() -> StableDiffusionPipeline:
    """Stable Diffusion 1.5's own shape: PNDM, no autoencoder shift, CLIP."""
    torch.manual_seed(0)
    return StableDiffusionPipeline(
        unet=_unet(cross_attention_dim=32),
        vae=_autoencoder(latent_channels=4, scaling_factor=0.18215),
        text_encoder=_clip(CLIPTextModel),
        tokenizer=_clip_tokenizer(),
        scheduler=PNDMScheduler(**BETAS, skip_prk_steps=True, set_alpha_to_one=False, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def sdxl() -> StableDiffusionXLPipeline:
    """Two text encoders, a pooled one, sizes as micro-conditioning."""
    torch.manual_seed(0)
    return StableDiffusionXLPipeline(
        unet=_unet(
            cross_attention_dim=32 + WIDER,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=6 * 8 + 32,
        ),
        vae=_autoencoder(latent_channels=4, scaling_factor=0.13025),
        text_encoder=_clip(CLIPTextModel),
        tokenizer=_clip_tokenizer(),
        text_encoder_2=_clip(CLIPTextModelWithProjection, WIDER),
        tokenizer_2=_clip_tokenizer(),
        scheduler=DDIMScheduler(**BETAS, steps_offset=1, clip_sample=False, timestep_spacing="leading"),
    )


def sd3() -> StableDiffusion3Pipeline:
    """A transformer and flow matching; without its optional T5."""
    torch.manual_seed(0)
    pipeline = StableDiffusion3Pipeline(
        transformer=SD3Transformer2DModel(
            sample_size=16,
            patch_size=2,
            in_channels=16,
            num_layers=1,
            attention_head_dim=8,
            num_attention_heads=4,
            joint_attention_dim=32 + WIDER,
            caption_projection_dim=32,
            pooled_projection_dim=64,
            out_channels=16,
        ),
        vae=_autoencoder(latent_channels=16, scaling_factor=1.5305, shift_factor=0.0609),
        text_encoder=_clip(CLIPTextModelWithProjection),
        tokenizer=_clip_tokenizer(),
        text_encoder_2=_clip(CLIPTextModelWithProjection, WIDER),
        tokenizer_2=_clip_tokenizer(),
        text_encoder_3=None,
        tokenizer_3=None,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
    )
    torch.nn.init.eye_(pipeline.text_encoder.text_projection.weight)  # its single file has none
    return pipeline


def flux() -> FluxPipeline:
    """Packed latents, guidance as an input of the model."""
    torch.manual_seed(0)
    return FluxPipeline(
        transformer=FluxTransformer2DModel(
            patch_size=1,
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=32,
            pooled_projection_dim=32,
            axes_dims_rope=[4, 4, 8],
            guidance_embeds=True,
        ),
        vae=_autoencoder(latent_channels=4, scaling_factor=0.3611, shift_factor=0.1159),
        text_encoder=_clip(CLIPTextModel),
        tokenizer=_clip_tokenizer(),
        text_encoder_2=_t5(),
        tokenizer_2=_t5_tokenizer(),
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
    )


def pixart() -> PixArtSigmaPipeline:
    """A transformer with the older kind of step callback."""
    torch.manual_seed(0)
    return PixArtSigmaPipeline(
        transformer=PixArtTransformer2DModel(
            sample_size=32,  # the pipeline has a table of formats for this size
            num_layers=1,
            patch_size=2,
            attention_head_dim=8,
            num_attention_heads=3,
            caption_channels=32,
            in_channels=4,
            cross_attention_dim=24,
            out_channels=8,
            norm_type="ada_norm_single",
            norm_elementwise_affine=False,
            use_additional_conditions=False,
        ),
        vae=_autoencoder(latent_channels=4, scaling_factor=0.13025),
        text_encoder=_t5(),
        tokenizer=_t5_tokenizer(),
        scheduler=DDIMScheduler(**BETAS, clip_sample=False),
    )


def sd2() -> StableDiffusionPipeline:
    """Stable Diffusion 2's shape: the denoiser tells the velocity (v-prediction)."""
    pipeline = sd1()
    pipeline.scheduler = DDIMScheduler(**BETAS, prediction_type="v_prediction", clip_sample=False, steps_offset=1)
    pipeline.register_modules(scheduler=pipeline.scheduler)
    return pipeline


def turbo() -> StableDiffusionXLPipeline:
    """SDXL Turbo: SDXL whose scheduler starts from the last timestep, for one to four steps."""
    pipeline = sdxl()
    pipeline.register_modules(scheduler=EulerAncestralDiscreteScheduler(**BETAS, timestep_spacing="trailing"))
    return pipeline


def lcm() -> LatentConsistencyModelPipeline:
    """A latent consistency model: guidance as an input, a scheduler of its own."""
    torch.manual_seed(0)
    return LatentConsistencyModelPipeline(
        unet=_unet(cross_attention_dim=32, time_cond_proj_dim=32),
        vae=_autoencoder(latent_channels=4, scaling_factor=0.18215),
        text_encoder=_clip(CLIPTextModel),
        tokenizer=_clip_tokenizer(),
        scheduler=LCMScheduler(**BETAS, original_inference_steps=50),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def sana() -> SanaPipeline:
    """A linear transformer, told by a language model; flow matching by DPM-Solver; an autoencoder without chance."""
    torch.manual_seed(0)
    return SanaPipeline(
        transformer=SanaTransformer2DModel(
            patch_size=1,
            in_channels=4,
            out_channels=4,
            num_layers=1,
            num_attention_heads=2,
            attention_head_dim=4,
            num_cross_attention_heads=2,
            cross_attention_head_dim=4,
            cross_attention_dim=8,
            caption_channels=8,
            sample_size=16,  # the pipeline has a table of formats for this size
        ),
        vae=AutoencoderDC(  # 32 pixels a latent, as Sana's own
            in_channels=3,
            latent_channels=4,
            attention_head_dim=2,
            encoder_block_types=("ResBlock",) * 5 + ("EfficientViTBlock",),
            decoder_block_types=("ResBlock",) * 5 + ("EfficientViTBlock",),
            encoder_block_out_channels=(4,) * 5 + (8,),
            decoder_block_out_channels=(4,) * 5 + (8,),
            encoder_qkv_multiscales=((),) * 5 + ((5,),),
            decoder_qkv_multiscales=((),) * 5 + ((5,),),
            encoder_layers_per_block=(1,) * 6,
            decoder_layers_per_block=(1,) * 6,
            downsample_block_type="conv",
            upsample_block_type="interpolate",
            decoder_norm_types="rms_norm",
            decoder_act_fns="silu",
            scaling_factor=0.41407,
        ),
        text_encoder=Gemma2Model(
            Gemma2Config(
                vocab_size=len(_letters()),
                hidden_size=8,
                intermediate_size=16,
                head_dim=8,
                num_attention_heads=2,
                num_key_value_heads=1,
                num_hidden_layers=1,
                attn_implementation="eager",
            )
        ).eval(),
        tokenizer=_letters(),
        scheduler=DPMSolverMultistepScheduler(
            use_flow_sigmas=True, prediction_type="flow_prediction", flow_shift=3.0, solver_order=2
        ),
    )


def zimage() -> ZImagePipeline:
    """A single-stream transformer that keeps its latents in float32, told by a language model."""
    torch.manual_seed(0)
    pipeline = ZImagePipeline(
        transformer=ZImageTransformer2DModel(
            all_patch_size=(2,),
            all_f_patch_size=(1,),
            in_channels=16,
            dim=32,
            n_layers=1,
            n_refiner_layers=1,
            n_heads=2,
            n_kv_heads=2,
            norm_eps=1e-5,
            qk_norm=True,
            cap_feat_dim=16,
            rope_theta=256.0,
            t_scale=1000.0,
            axes_dims=[8, 4, 4],
            axes_lens=[256, 32, 32],
        ),
        vae=_autoencoder(latent_channels=16, scaling_factor=0.3611, shift_factor=0.1159),
        text_encoder=Qwen3Model(
            Qwen3Config(
                vocab_size=len(_letters()),
                hidden_size=16,
                intermediate_size=16,
                num_hidden_layers=2,
                num_attention_heads=2,
                num_key_value_heads=2,
                head_dim=8,
            )
        ).eval(),
        tokenizer=_letters(chat=True),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
    )
    # torch.empty, and they may hold anything
    for token in (pipeline.transformer.x_pad_token, pipeline.transformer.cap_pad_token):
        torch.nn.init.normal_(token, std=0.02)
    return pipeline


def qwen() -> QwenImagePipeline:
    """Packed latents of a clip of one frame, guidance by a second pass, told by a model that reads pictures too."""
    torch.manual_seed(0)
    size = {"hidden_size": 16, "num_hidden_layers": 2}
    return QwenImagePipeline(
        transformer=QwenImageTransformer2DModel(
            patch_size=2,
            in_channels=16,
            out_channels=4,
            num_layers=2,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=16,
            axes_dims_rope=(8, 4, 4),
        ),
        vae=AutoencoderKLQwenImage(
            base_dim=4,
            z_dim=4,
            dim_mult=[1, 1, 1, 1],
            num_res_blocks=1,
            latents_mean=[0.0] * 4,
            latents_std=[1.0] * 4,
        ),
        text_encoder=Qwen2_5_VLForConditionalGeneration(
            Qwen2_5_VLConfig(
                text_config={
                    **size,
                    "vocab_size": len(_letters()),
                    "intermediate_size": 16,
                    "num_attention_heads": 2,
                    "num_key_value_heads": 2,
                    "rope_scaling": {"mrope_section": [1, 1, 2], "rope_type": "default", "type": "default"},
                    "rope_theta": 1000000.0,
                },
                vision_config={
                    "depth": 1,
                    "hidden_size": 16,
                    "intermediate_size": 16,
                    "num_heads": 2,
                    "out_hidden_size": 16,
                },
            )
        ).eval(),
        tokenizer=_letters(),
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
    )


FAMILIES: dict[str, type[DiffusionPipeline]] = {
    "sd1": sd1,
    "sd2": sd2,
    "sdxl": sdxl,
    "sd3": sd3,
    "flux": flux,
    "pixart": pixart,
    "lcm": lcm,
    "turbo": turbo,
    "sana": sana,
    "zimage": zimage,
    "qwen": qwen,
}


def _unet(cross_attention_dim: int, **extra: object) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(32, 64),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=4,
        norm_num_groups=8,
        cross_attention_dim=cross_attention_dim,
        **extra,
    )


def _autoencoder(**settings: object) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 8, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        norm_num_groups=4,
        **settings,
    )


def _clip(kind: type, width: int = 32) -> torch.nn.Module:
    tokenizer = _clip_tokenizer()
    return kind(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=width,
            projection_dim=32,
            intermediate_size=37,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=77,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    ).eval()


def _t5() -> T5EncoderModel:
    return T5EncoderModel(
        T5Config(vocab_size=len(_t5_tokenizer()), d_model=32, d_kv=8, d_ff=37, num_layers=1, num_heads=4)
    ).eval()


def _clip_tokenizer() -> CLIPTokenizer:
    """Every letter a token of its own."""
    letters = string.ascii_lowercase + string.digits + ",."
    pieces = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{letter}</w>" for letter in letters)]
    return CLIPTokenizer({piece: number for number, piece in enumerate(pieces)}, [], model_max_length=77)


def _letters(*, chat: bool = False) -> PreTrainedTokenizerFast:
    """Every letter a token of its own, as a language model takes them."""
    pieces = ["<pad>", "<bos>", "<eos>", "<unk>", *string.ascii_letters, *string.digits, " ", ".", ","]
    model = Tokenizer(models.WordLevel({piece: number for number, piece in enumerate(pieces)}, unk_token="<unk>"))
    model.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=model,
        pad_token="<pad>",
        bos_token="<bos>",
        eos_token="<eos>",
        unk_token="<unk>",
        model_max_length=512,
        padding_side="right",
    )
    if chat:
        tokenizer.chat_template = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    return tokenizer


def _t5_tokenizer() -> T5Tokenizer:
    pieces = ["<pad>", "</s>", "<unk>", "▁", *string.ascii_letters, *string.digits]
    return T5Tokenizer([(piece, -float(number)) for number, piece in enumerate(pieces)], extra_ids=0)
