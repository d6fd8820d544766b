{#-
    Draws the Parquet sources of the demo world beside the database unless they are there and current (see the plugin
    demo_files); does nothing when none of them is read from the demo world.
-#}
{% macro draw_demo_files() %}
    {% if execute %}
        {% set drawn = ['listed_firms', 'listed_firm_assets', 'listed_firm_links'] %}
        {% for source_name in drawn if input_mode(source_name) | trim == 'demo' %}
            {% if loop.first %}{% do run_query("select draw_demo_files('" ~ demo_folder() ~ "')") %}{% endif %}
        {% endfor %}
    {% endif %}
    select 1;
{% endmacro %}
