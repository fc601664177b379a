-- Recomputed from the rule table: the last word decides, opt-out on ties and where the moment is unknown.
with

actions as (select * from {{ actions_by_key() }}),  -- noqa: LT07

channels as (select * from {{ ref('stg_catalog') }}),

consents as (select * from {{ ref('stg_rule_consent') }}),

heard as (
    select
        actions.hcp_id,
        actions.channel,
        consents.status,
        consents.captured_at,
        consents.expires_at,
        rank() over (
            partition by actions.hcp_id, actions.channel
            order by coalesce(consents.captured_at, timestamp '9999-12-31 00:00:00') desc
        ) as recency
    from actions
    inner join consents
        on actions.hcp_key = coalesce(consents.hcp_id, '*') and actions.channel_key = coalesce(consents.channel, '*')
    where consents.status != 'opt_in' or consents.captured_at is null or consents.captured_at < actions.cycle_start
),

last_word as (
    select
        hcp_id,
        channel,
        max(case when status = 'opt_in' and captured_at is not null then 0 else 1 end) as is_out,
        min(coalesce(expires_at, date '9999-12-31')) as ends
    from heard
    where recency = 1
    group by hcp_id, channel
)

select
    actions.hcp_id,
    actions.channel
from {{ ref('fct_recommendations') }} as actions
inner join channels on actions.channel = channels.channel
left join last_word on actions.hcp_id = last_word.hcp_id and actions.channel = last_word.channel
where last_word.is_out = 1
    or (channels.requires_consent and (last_word.hcp_id is null or last_word.ends <= actions.latest_date))
