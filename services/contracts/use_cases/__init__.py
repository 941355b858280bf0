"""What can be done with contracts: one function per call, each write one visible transaction.

`forming` is what a hire agrees, changes and gives up before it is paid, `charging` what Stripe's
charges do, `refunding` what gives one back in full, `reading` what anybody may see.
"""
