{#-
    A text as it is compared: full-width letters, digits and brackets as half-width ones, no blanks of any kind, capitals.
    `５ｇ 基站` becomes `5G基站`.
-#}
{% macro fold_text(column) -%}
    {%- set wide = 'ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ０１２３４５６７８９（）＋－　' -%}
    {%- set narrow = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789()+- ' -%}
    upper(regexp_replace(translate({{ column }}, '{{ wide }}', '{{ narrow }}'), '\s', '', 'g'))
{%- endmacro %}

{#- The seven groups of digital assets, as in seed_digital_asset_item. -#}
{% macro digital_groups() -%}
    {{ return(['5g', 'data', 'computer', 'communication_network', 'electronic_equipment', 'software', 'information_platform']) }}
{%- endmacro %}
