"""A Stripe of one's own: the parts of Stripe's API that move this business, on loopback only.

    python -m deploy.local.stripe_sandbox --listen 127.0.0.1:12111 --data stripe.sqlite

Written from Stripe's published schema and documents. All state is in one SQLite file, where a
change, its events and the remembered answer of its idempotency key commit together; killed at any
instant, it comes back with all that it had answered. Ready once `GET /_sandbox/health` says 200.

Smaller than Stripe: cards and US bank accounts only; one platform account whichever `sk_test_` key
asks; no search and no raw Charges create; bank debits need no mandate and settle when a test says
so; connected accounts are onboarded by a test or by visiting their link. Parameters that would
change what happens and are not built are refused by name. Idempotency keys work as documented: one
endpoint and one set of parameters per key and account, 24 hours of the sandbox's clock; every
answer of an endpoint that has begun is remembered (402, 500 and refusals by state), but no refused
validation, 401, 409 or 429.

The control API, JSON under `/_sandbox` (422 for a bad body, 409 for an object in another state):

    GET  /health                       {status, now}
    POST /clock                        {advance_seconds} -> {now, offset_seconds}
    POST /reset                        forget everything, let held requests go

    POST /faults                       a rule, used `times` times; the first that matches counts:
         {kind, operation?, method?, path?, object?, metadata?, times=1, seconds?}
         operation, method, path: shell patterns, as "payment_intents.confirm", "refunds.*"
         object: an id in the path or a parameter; metadata: a subset of the request's or object's
      kind hold_before                 validated, its key in flight, not executed until released
           delay_seconds               the same for `seconds`
           commit_then_hang            committed, its answer withheld until released; asking again
                                       with the key is answered at once
           commit_then_500             committed; the 500 is what the key remembers
           500_stored                  nothing executed; the 500 is what the key remembers
           drop_connection_after_commit
           500_before, 409, 429        nothing executed, nothing remembered
    GET  /faults, DELETE /faults       what is left; forget the rules for requests
    GET  /holds                        {holds: [{id, moment, operation, path, idempotency_key}]}
    POST /holds/{id}/release           POST /holds/release lets all go

    POST /webhooks/faults              {kind: drop|duplicate|reorder|delay|hold, event="*", times=1,
                                       seconds=1}: reorder waits for a later delivery there
    DELETE /webhooks/faults
    POST /webhooks/hold, /webhooks/release      all of them; release also frees held and reordered
    GET  /deliveries                   ?event= &endpoint= &state= &type= &object=
    POST /events/{id}/resend           {endpoint?}

    GET  /wait/hold                    ?operation= &timeout=10   answers once there is one, or 408
    GET  /wait/event                   ?type= &object= &timeout=10
    GET  /wait/delivery                ?event= &endpoint= &state= &type= &object= &timeout=10

    POST /payment_intents/{id}/authenticate     {outcome: success|fail}; GET is a page for people
    POST /setup_intents/{id}/authenticate       {outcome: success|fail}
    POST /payment_intents/{id}/settle           {outcome: succeed|fail, code?}   a bank debit
    POST /charges/{id}/dispute                  {reason?}
    POST /disputes/{id}/close                   {outcome: won|lost}
    POST /refunds/{id}/fail                     {reason?};  /refunds/{id}/succeed a pending one
    POST /payouts/{id}/settle                   {outcome: succeed|fail}
    POST /accounts/{id}/onboard
    POST /balance                               {empty: true|false}: transfers and payouts refused

Rules and holds live in memory: a restarted sandbox is a healthy one. Clock, deliveries and a hold
of all webhooks survive. Webhooks are retried in real time, 0.2 s doubling to 15 s, 40 times.
"""
