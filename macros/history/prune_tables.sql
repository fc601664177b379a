{#- Post-hook of prune_memory, in its transaction: the rows of pruned runs go. Of scores stays what `measure_hcps` and `measure_explore` read of the
    last published run of each cycle: the best eligible pair of each HCP and what could have been explored. -#}
{% macro prune_tables(pruned) -%}
    {%- set statements = [] -%}
    {%- if execute -%}
        {%- set runs = '(select pruned.run_id from ' ~ pruned ~ ' as pruned)' -%}
        {%- for name in pruned_tables() if load_relation(room_relation('memory', name)) is not none -%}
            {%- do statements.append('delete from ' ~ room_relation('memory', name) ~ ' where run_id in ' ~ runs) -%}
        {%- endfor -%}
        {%- set scores = room_relation('memory', 'hcp_channel_scores') -%}
        {%- set measured -%}
            (
                select latest.run_id from (
                    select run_id, row_number() over (partition by cycle_start order by published_at desc) as recency from {{ publications() }}
                ) as latest where latest.recency = 1
            )
        {%- endset -%}
        {%- set gone -%}
            delete from {{ scores }}
            where run_id in {{ runs }}
                and (
                    run_id not in {{ measured }}
                    or (
                        (run_id, hcp_id, channel) not in (
                            select placed.run_id, placed.hcp_id, placed.channel from (
                                select
                                    best.run_id,
                                    best.hcp_id,
                                    best.channel,
                                    row_number() over (partition by best.run_id, best.hcp_id order by best.expected_impact desc, best.channel) as place
                                from {{ scores }} as best
                                where best.is_eligible and best.expected_impact is not null and best.run_id in {{ runs }}
                            ) as placed
                            where placed.place = 1
                        )
                        and (run_id, hcp_id, channel) not in (
                            select could.run_id, could.hcp_id, could.channel from {{ room_relation('memory', 'explore_distribution') }} as could
                        )
                    )
                )
        {%- endset -%}
        {%- do statements.append(gone) -%}
        {%- set told = "(select count(*) as runs from " ~ pruned ~ " where pruned_by in (select run_id from " ~ room_relation('checks', 'run_config') ~ ")) as told where told.runs > 0" -%}
        {%- do statements.append(record_event('plans_pruned', "cast(told.runs as text) || ' runs'", "'{\"runs\": ' || cast(told.runs as text) || '}'", told)) -%}
    {%- endif -%}
    {{ return(statements | join(';\n')) }}
{%- endmacro %}
